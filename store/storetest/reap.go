package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
)

// printed returns a completed job whose runs have printed so much each, the first
// one ended so many minutes after the epoch and each other a minute later.
func printed(minute int, bytes ...int64) *job.Job {
	j := withRuns(len(bytes))
	for i := range j.Runs {
		endRun(&j.Runs[i], epoch.Add(time.Duration(minute+i)*time.Minute), bytes[i])
	}
	j.Phase, j.Result, j.StoppedAt = job.Done, job.Success, j.Last().StoppedAt
	return j
}

func endRun(r *job.Run, at time.Time, bytes int64) {
	r.Phase, r.Result, r.Reason, r.StoppedAt, r.LogBytes = job.Done, job.Success, job.ReasonExit, at, bytes
}

// reap reaps until there is no more to do, and returns in how many calls.
func reap(t *testing.T, s store.Store, ids []job.ID, keep job.Retention) (calls int) {
	t.Helper()
	for more := true; more; calls++ {
		var err error
		if more, err = s.Reap(t.Context(), ids, keep); err != nil {
			t.Fatalf("Reap: %v", err)
		}
	}
	return calls
}

// kept lists the runs whose output is kept, as "name/run".
func kept(t *testing.T, s store.Store) (runs []string) {
	t.Helper()
	for _, j := range query(t, s, store.Filter{Runs: -1}) {
		for i := range j.Runs {
			if r := &j.Runs[i]; r.LogBytes > 0 && !j.Reaped(r) {
				runs = append(runs, fmt.Sprintf("%s/%d", j.Spec.Name, r.N))
			}
		}
	}
	slices.Sort(runs)
	return runs
}

func wantKept(t *testing.T, s store.Store, want ...string) {
	t.Helper()
	if got := kept(t, s); !slices.Equal(got, want) {
		t.Errorf("output is kept of %v, want %v", got, want)
	}
}

// fourJobs submits a to d; b and c end between the two runs of a.
func fourJobs(t *testing.T, s store.Store) {
	t.Helper()
	for name, j := range map[string]*job.Job{
		"a": printed(0, 100, 0, 0, 0, 0, 100), "b": printed(2, 10), "c": printed(3, 0), "d": printed(9, 1000),
	} {
		j.Spec.Name = name
		submit(t, s, j)
	}
}

func testReap(t *testing.T, s store.Store) {
	fourJobs(t, s)
	reap(t, s, nil, job.Retention{})
	wantKept(t, s, "a/1", "a/6", "b/1", "d/1")
	reap(t, s, nil, job.Retention{Bytes: 1210})
	wantKept(t, s, "a/1", "a/6", "b/1", "d/1")
	// By the ends of runs, whichever job's.
	reap(t, s, nil, job.Retention{Bytes: 1209})
	wantKept(t, s, "a/6", "b/1", "d/1")
	reap(t, s, nil, job.Retention{Bytes: 1209, Held: 100})
	wantKept(t, s, "a/6", "d/1")
	// By the ends of jobs: silent ones count, and a was the last but one.
	reap(t, s, nil, job.Retention{Jobs: 2})
	wantKept(t, s, "a/6", "d/1")
	reap(t, s, nil, job.Retention{Since: epoch.Add(5 * time.Minute)})
	wantKept(t, s, "a/6", "d/1")
	reap(t, s, nil, job.Retention{Since: epoch.Add(5*time.Minute + time.Second)})
	wantKept(t, s, "d/1")
	reap(t, s, nil, job.Retention{Bytes: 1, Jobs: 1})
	wantKept(t, s)
	reap(t, s, nil, job.Retention{Bytes: 1, Jobs: 1})
}

func testReapJob(t *testing.T, s store.Store) {
	fourJobs(t, s)
	a := query(t, s, store.Filter{Name: "a"})[0]
	reap(t, s, []job.ID{a.ID, job.NewID(), a.ID}, job.Retention{})
	wantKept(t, s, "b/1", "d/1")
	again := get(t, s, a.ID, -1)
	if again.ReapedRuns != again.RunCount || !again.Reaped(again.Run(1)) || again.Run(1).LogBytes != 100 {
		t.Errorf("the job is %+v", again)
	}
	if deleted, err := s.Delete(t.Context(), []job.ID{a.ID}); err != nil || len(deleted) != 1 {
		t.Errorf("deleted %v, %v", deleted, err)
	}
}

func testReapActive(t *testing.T, s store.Store) {
	j := withRuns(2)
	endRun(&j.Runs[0], epoch, 10)
	j.Runs[1].LogBytes = 1 << 30 // nobody says so
	submit(t, s, j)
	reap(t, s, []job.ID{j.ID}, job.Retention{Jobs: 1, Since: epoch.Add(time.Hour)})
	same(t, "an active job", get(t, s, j.ID, -1), j)
	reap(t, s, nil, job.Retention{Bytes: 1})
	got := get(t, s, j.ID, -1)
	if !got.Reaped(got.Run(1)) || got.Reaped(got.Run(2)) {
		t.Errorf("the runs are %+v", got.Runs)
	}
	// What is reaped stays so, and what the second prints is counted when it ends.
	update(t, s, j.ID, func(j *job.Job) { endRun(j.Last(), epoch.Add(time.Minute), 20) })
	wantKept(t, s, "name/2")
}

func testReapMany(t *testing.T, s store.Store) {
	const jobs = 250
	var all []*job.Job
	for i := range jobs {
		all = append(all, printed(i, 1, 1))
	}
	if err := s.SubmitAll(t.Context(), all, make([][]byte, jobs)); err != nil {
		t.Fatal(err)
	}
	if calls := reap(t, s, nil, job.Retention{Bytes: 400}); calls < 2 {
		t.Error("all was done at once")
	}
	if n := len(kept(t, s)); n != 400 {
		t.Errorf("output of %d runs is kept", n)
	}
	reap(t, s, nil, job.Retention{Jobs: 10})
	if n := len(kept(t, s)); n != 20 {
		t.Errorf("output of %d runs is kept", n)
	}
}

func testReapByUpdate(t *testing.T, s store.Store) {
	j := withRuns(1)
	j.Spec.Log.Job.MaxRuns = 2
	submit(t, s, j)
	for n := 1; n <= 5; n++ {
		update(t, s, j.ID, func(j *job.Job) {
			endRun(j.Last(), epoch.Add(time.Duration(n)*time.Minute), int64(n))
			j.ReapedRuns = max(0, n-2)
			addRun(j)
		})
	}
	wantKept(t, s, "name/4", "name/5")
	reap(t, s, nil, job.Retention{Bytes: 5})
	wantKept(t, s, "name/5")
}

// awaiting returns a job that waits for another.
func awaiting(id job.ID) *job.Job {
	j := Job("waits", "group")
	j.Runs, j.RunCount, j.Phase = nil, 0, job.Waiting
	j.Spec.Wait.Job = []string{string(id) + ":any", string(id) + ":success"}
	j.Conditions = j.Spec.Wait.Conditions()
	return j
}

func testDeleteAwaited(t *testing.T, s store.Store) {
	awaited, other := printed(0, 1), printed(1, 1)
	submit(t, s, awaited, other)
	waits := awaiting(awaited.ID)
	submit(t, s, waits)
	deleted, err := s.Delete(t.Context(), []job.ID{awaited.ID, other.ID})
	if err != nil || !slices.Equal(deleted, []job.ID{other.ID}) {
		t.Fatalf("deleted %v, %v", deleted, err)
	}
	same(t, "the job that is waited for", get(t, s, awaited.ID, -1), awaited)
	update(t, s, waits.ID, func(j *job.Job) {
		j.MetAt, j.Phase = epoch, job.Starting
		addRun(j)
	})
	if deleted, err = s.Delete(t.Context(), []job.ID{awaited.ID}); err != nil || len(deleted) != 1 {
		t.Errorf("when nobody waits any more: deleted %v, %v", deleted, err)
	}
}

func testSubmitAwaiting(t *testing.T, s store.Store) {
	j := awaiting(job.NewID())
	if err := s.Submit(t.Context(), j, nil, false); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Submit: %v", err)
	}
	if err := s.SubmitAll(t.Context(), []*job.Job{Job("a", "group"), j}, [][]byte{nil, nil}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("SubmitAll: %v", err)
	}
	if n := len(query(t, s, store.Filter{})); n != 0 {
		t.Errorf("%d jobs are there", n)
	}
}

func testAwaitedRace(t *testing.T, s store.Store) {
	for range 30 {
		awaited := printed(0, 1)
		submit(t, s, awaited)
		waits := awaiting(awaited.ID)
		submitted := make(chan error, 1)
		go func() { submitted <- s.Submit(t.Context(), waits, nil, false) }()
		deleted, err := s.Delete(t.Context(), []job.ID{awaited.ID})
		if err != nil {
			t.Fatal(err)
		}
		switch err := <-submitted; {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			t.Fatal(err)
		case (err == nil) == (len(deleted) == 1):
			t.Fatalf("deleted %v, and Submit: %v", deleted, err)
		}
	}
}
