package main

import (
	"testing"
	"time"

	"jobman/job"
)

func TestDurationsAreToldRoughly(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 34 * time.Millisecond: "34ms", 1234 * time.Millisecond: "1.2s", 754 * time.Second: "12m34s",
		3*time.Hour + 25*time.Minute + 7*time.Second: "3h25m", 30*time.Hour + 20*time.Minute: "1d6h", 40 * day: "40d", 1000 * day: "2 years",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%s is told as %s, want %s", d, got, want)
		}
	}
}

func TestWhyAJobWaitsIsToldInShort(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	file := job.Condition{Kind: job.KindFile, Target: "/in/data.csv"}
	other := job.Condition{Kind: job.KindJob, Target: "2e7d1250-0c7f-4f7f-ab3c-1ec65e16f863:failure"}
	later := job.Condition{Kind: job.KindTimedelta, Target: "10m"}
	met := job.Condition{Kind: job.KindHTTP, Target: "http://x/", Check: job.Check{Met: true}}
	waiting := func(any bool, conditions ...job.Condition) *job.Job {
		return &job.Job{Phase: job.Waiting, SubmittedAt: now, Conditions: conditions, Spec: job.Spec{Wait: job.Wait{Any: any}}}
	}
	for _, c := range []struct {
		j    *job.Job
		want string
	}{
		{&job.Job{Phase: job.Delayed, RunCount: 2, NextAt: in(20 * time.Second)}, "run 3 in 20.0s"},
		{&job.Job{Phase: job.Delayed, RunCount: 2, NextAt: in(-time.Second)}, "run 3 now"},
		{&job.Job{Phase: job.Waiting, MetAt: now, NextAt: in(time.Minute)}, "run 1 in 1m"},
		{waiting(false, met, file), "file data.csv"},
		{waiting(false, later), "in 10m"},
		{waiting(false, other, file), "job 2e7d1250:failure, and 1 more"},
		{waiting(true, file, later, other), "file data.csv, or 2 more"},
		{&job.Job{Phase: job.Running, NextAt: in(time.Minute)}, ""},
		{&job.Job{Phase: job.Done}, ""},
	} {
		if got := nextShort(c.j, now); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestAnAbortBeforeTheTimeThatIsWaitedForIsRefused(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	five := job.Duration(5 * time.Second)
	for _, c := range []struct {
		name string
		w    job.Wait
		ok   bool
	}{
		{"before", job.Wait{Timedelta: &five, AbortDatetime: now.Add(time.Second)}, false},
		{"within the extra delay", job.Wait{Timedelta: &five, ExtraDelay: five, AbortDatetime: now.Add(7 * time.Second)}, false},
		{"after", job.Wait{Timedelta: &five, AbortDatetime: now.Add(6 * time.Second)}, true},
		{"another condition may come first", job.Wait{Timedelta: &five, File: []job.Text{"/x"}, Any: true, AbortDatetime: now.Add(time.Second)}, true},
		{"none", job.Wait{Timedelta: &five}, true},
	} {
		if err := inTime(&c.w, now); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
