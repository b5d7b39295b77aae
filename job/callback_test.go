package job

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestWhatCallbacksAreTold(t *testing.T) {
	every := []EventKind{EventRunSuccess, EventRunFailure, EventRetry, EventJobSuccess, EventJobFailure, EventJobNeutral}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	running := func() Job {
		return Job{
			ID: "00000000-0000-4000-8000-000000000001", Phase: Running, RunCount: 1, Runs: []Run{{N: 1, Phase: Running}},
			Callbacks: []Callback{{Name: "all", On: every}, {Name: "few", On: []EventKind{EventJobFailure}}},
		}
	}
	for _, test := range []struct {
		name   string
		change func(*Job)
		want   []string
	}{
		{"nothing", func(*Job) {}, nil},
		{"a kill is asked for", func(j *Job) { j.Phase = Stopping }, nil},
		{"success", func(j *Job) {
			j.Runs[0].end(Success, ReasonExit, "", at)
			j.end(Success, ReasonExit, "", at)
		}, []string{"all run-success", "all job-success"}},
		{"failure", func(j *Job) {
			j.Runs[0].end(Failure, ReasonExit, "", at)
			j.end(Failure, ReasonExit, "", at)
		}, []string{"all run-failure", "all job-failure", "few job-failure"}},
		{"a neutral end", func(j *Job) {
			j.Runs[0].end(Neutral, ReasonExit, "", at)
			j.end(Neutral, ReasonExit, "", at)
		}, []string{"all job-neutral"}},
		{"killed", func(j *Job) {
			j.Runs[0].end(Killed, ReasonKilled, "", at)
			j.end(Killed, ReasonKilled, "", at)
		}, []string{"all run-failure", "all job-failure", "few job-failure"}},
		{"a retry", func(j *Job) {
			j.Runs[0].end(Failure, ReasonExit, "", at)
			j.Phase, j.NextAt = Delayed, at.Add(time.Minute)
		}, []string{"all run-failure", "all retry"}},
		{"an end without a run", func(j *Job) {
			*j = Job{ID: j.ID, Callbacks: j.Callbacks}
			j.end(Failure, ReasonWaitAbort, "", at)
		}, []string{"all job-failure", "few job-failure"}},
		{"the next run starts", func(j *Job) {
			j.RunCount, j.Phase = 2, Starting
			j.Runs = append(j.Runs, Run{N: 2, Phase: Starting})
		}, nil},
	} {
		before, after := running(), running()
		test.change(&after)
		var got []string
		ids := map[string]bool{}
		for _, d := range Told(&before, &after) {
			got = append(got, d.Callback+" "+string(d.Event.Kind))
			ids[d.Event.ID] = true
		}
		if !slices.Equal(got, test.want) || len(ids) != len(got) {
			t.Errorf("%s: %q with %d ids, want %q", test.name, got, len(ids), test.want)
		}
		if again := Told(&after, &after); len(again) > 0 {
			t.Errorf("%s: told once more: %+v", test.name, again)
		}
	}
}

func TestOptionsChooseEvents(t *testing.T) {
	n := Notify{Any: []string{"a"}, OnFailure: []string{"a", "b"}, OnRetry: []string{"b"}}
	if got := n.Events("a"); !slices.Equal(got, []EventKind{EventJobFailure, EventJobNeutral, EventJobSuccess, EventRetry}) {
		t.Error(got)
	}
	if got := n.Events("b"); !slices.Equal(got, []EventKind{EventJobFailure, EventRetry}) {
		t.Error(got)
	}
}

func TestTries(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fail := errors.New("refused")
	d := Delivery{Event: Event{At: at}, State: DeliveryPending}
	now := at
	for d.State == DeliveryPending {
		d.Tried(now, fail, 1)
		if d.State == DeliveryPending && (!d.NextAt.After(now) || d.NextAt.Sub(now) > 7*time.Hour) {
			t.Fatalf("try %d at %s, the next at %s", d.Tries, now, d.NextAt)
		}
		now = d.NextAt
	}
	if d.State != GivenUp || d.Tries != 20 || d.TriedAt.Sub(at) > 3*24*time.Hour || d.TriedAt.Sub(at) < 2*24*time.Hour {
		t.Errorf("%s after %d tries in %s", d.State, d.Tries, d.TriedAt.Sub(at))
	}
	for _, test := range []struct {
		name  string
		age   time.Duration
		err   error
		state DeliveryState
		pause time.Duration
	}{
		{"taken", 0, nil, Delivered, 0},
		{"the first failure", 0, fail, DeliveryPending, 10 * time.Second},
		{"for good", 0, &SendError{Text: "no", Final: true}, GivenUp, 0},
		{"the receiver's own time", 0, &SendError{Text: "busy", RetryAfter: time.Hour}, DeliveryPending, time.Hour},
		{"in a hundred years", 0, &SendError{Text: "busy", RetryAfter: 1e6 * time.Hour}, DeliveryPending, maxPause},
		{"one of two was told", 0, &SendError{Text: "to b: no", Partly: true}, Delivered, 0},
		{"the machine was off", 9 * 24 * time.Hour, fail, DeliveryPending, 10 * time.Second},
	} {
		d := Delivery{Event: Event{At: at}, State: DeliveryPending}
		now := at.Add(test.age)
		d.Tried(now, test.err, 0.5)
		if d.State != test.state || test.pause > 0 && d.NextAt.Sub(now) != test.pause || test.pause == 0 && !d.NextAt.IsZero() {
			t.Errorf("%s: %+v", test.name, d)
		}
	}
}

func TestCallbacksInPlace(t *testing.T) {
	for name, want := range map[string]string{
		"https://h/x?token=y": "webhook https://h/...", "slack:https://hooks/a": "slack slack:https://hooks/...", "mailto:a@b": "email mailto:a@b",
		"sms:+1": "sms sms:+1", "write:": "write write:", "write:root": "write write:root", "script:/x": "script script:/x",
		"ops": "", "write": "", "ftp://x": "",
	} {
		c, ok := InPlace(name)
		if got := c.Type + " " + RedactCallback(name); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %t", name, got, ok)
		}
	}
}
