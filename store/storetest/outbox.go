package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
)

// base is a moment.
var base = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// told is a job that tells a callback of its end and of retries.
func told() *job.Job {
	j := Job("told", "g")
	j.HostID = "here"
	j.Callbacks = []job.Callback{{Name: "ops", Type: "webhook", On: []job.EventKind{job.EventJobFailure, job.EventRetry}}}
	return j
}

// fail ends a job's current run, and the job or not.
func fail(over bool) func(*job.Job) {
	return func(j *job.Job) {
		r := j.Last()
		r.Phase, r.Result, r.Reason, r.StoppedAt = job.Done, job.Failure, job.ReasonExit, base.Add(time.Hour)
		j.Phase, j.NextAt = job.Delayed, base.Add(2*time.Hour)
		if over {
			j.Phase, j.Result, j.Reason, j.StoppedAt, j.NextAt = job.Done, job.Failure, job.ReasonExit, r.StoppedAt, time.Time{}
		}
	}
}

func pending(t *testing.T, s store.Store) []job.Delivery {
	t.Helper()
	all, err := s.Pending(t.Context(), "here", 1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func testOutbox(t *testing.T, s store.Store) {
	j := told()
	submit(t, s, j)
	if got := pending(t, s); len(got) != 0 {
		t.Fatalf("told of a submission: %+v", got)
	}
	aborted := errors.New("aborted")
	if err := s.Update(t.Context(), []job.ID{j.ID}, func(j *job.Job) error { fail(true)(j); return aborted }); !errors.Is(err, aborted) {
		t.Fatal(err)
	}
	if got := pending(t, s); len(got) != 0 {
		t.Fatalf("told of what was not committed: %+v", got)
	}
	update(t, s, j.ID, fail(false))
	update(t, s, j.ID, func(j *job.Job) {
		j.RunCount++
		j.Phase, j.NextAt = job.Starting, time.Time{}
		j.Runs = append(j.Runs, job.Run{N: j.RunCount, Phase: job.Starting, IntendedAt: base})
	})
	update(t, s, j.ID, fail(true))
	got := pending(t, s)
	if len(got) != 2 || got[0].Event.Kind != job.EventRetry || got[1].Event.Kind != job.EventJobFailure || got[0].Callback != "ops" {
		t.Fatalf("pending: %+v", got)
	}
	if other, err := s.Pending(t.Context(), "elsewhere", 1000, nil); err != nil || len(other) != 0 {
		t.Errorf("another machine's: %+v, %v", other, err)
	}
	if one, err := s.Pending(t.Context(), "here", 1, nil); err != nil || len(one) != 1 {
		t.Errorf("a limit of 1: %+v, %v", one, err)
	}
	first := func(d *job.Delivery) bool { return d.Event.ID == got[0].Event.ID }
	if one, err := s.Pending(t.Context(), "here", 1, first); err != nil || len(one) != 1 || one[0].Event.ID != got[1].Event.ID {
		t.Errorf("but the first, and a limit of 1: %+v, %v", one, err)
	}

	got[0].Tried(base.Add(time.Hour), errors.New("refused"), 0)
	got[1].Tried(base.Add(time.Hour), nil, 0)
	if err := s.Tried(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	left := pending(t, s)
	if len(left) != 1 || left[0].Tries != 1 || left[0].Error != "refused" || left[0].Event.ID != got[0].Event.ID {
		t.Errorf("pending after a try: %+v", left)
	}
	all, err := s.Deliveries(t.Context(), j.ID)
	if err != nil || len(all) != 2 || all[1].State != job.Delivered {
		t.Errorf("all: %+v, %v", all, err)
	}

	if gone, err := s.Delete(t.Context(), []job.ID{j.ID}); err != nil || len(gone) != 1 {
		t.Fatal(gone, err)
	}
	if err := s.Tried(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if left := pending(t, s); len(left) != 0 {
		t.Errorf("left of a deleted job: %+v", left)
	}
}

// testOutboxBounded: a job that is repeated for ever does not fill the store, also where
// nobody takes what is told.
func testOutboxBounded(t *testing.T, s store.Store) {
	j := told()
	submit(t, s, j)
	const rounds = 150
	for i := range rounds {
		update(t, s, j.ID, fail(false))
		if i%2 == 0 {
			due := pending(t, s)
			due[len(due)-1].Tried(base, nil, 0)
			if err := s.Tried(t.Context(), due[len(due)-1:]); err != nil {
				t.Fatal(err)
			}
		}
		update(t, s, j.ID, func(j *job.Job) {
			j.RunCount++
			j.Phase = job.Starting
			j.Runs = append(j.Runs, job.Run{N: j.RunCount, Phase: job.Starting, IntendedAt: base})
		})
	}
	if left := pending(t, s); len(left) == 0 || len(left) >= rounds/2 {
		t.Errorf("%d are pending", len(left))
	}
	all, err := s.Deliveries(t.Context(), j.ID)
	if err != nil || len(all) == 0 || len(all) >= rounds || all[len(all)-1].Event.Run != rounds {
		t.Errorf("%d deliveries are kept: %v", len(all), err)
	}
	if want := fmt.Sprintf("%s.%d.retry.", j.ID, rounds); len(all) > 0 && all[len(all)-1].Event.ID[:len(want)] != want {
		t.Errorf("the last is %s", all[len(all)-1].Event.ID)
	}
}
