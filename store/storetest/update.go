package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"jobman/job"
	"jobman/store"
)

// withRuns returns a job with n runs.
func withRuns(n int) *job.Job {
	j := Job("name", "group")
	for j.RunCount < n {
		addRun(j)
	}
	return j
}

func addRun(j *job.Job) {
	j.RunCount++
	j.Runs = append(j.Runs, job.Run{N: j.RunCount, Phase: job.Starting, Manager: "boot 1", IntendedAt: j.SubmittedAt})
}

func testGetRuns(t *testing.T, s store.Store) {
	j := withRuns(300) // more than a byte counts
	submit(t, s, withRuns(3), j, withRuns(3))
	for _, n := range []int{0, 1, 2, 299, 300, 1000, -1} {
		want := *j
		if n >= 0 && n < len(j.Runs) {
			want.Runs = j.Runs[len(j.Runs)-n:]
		}
		if n == 0 {
			want.Runs = nil
		}
		same(t, fmt.Sprintf("Get with %d runs", n), get(t, s, j.ID, n), &want)
		if n == 0 { // to a query it means the last one
			want.Runs = j.Runs[len(j.Runs)-1:]
		}
		same(t, fmt.Sprintf("Query with %d runs", n), query(t, s, store.Filter{ID: j.ID, Runs: n})[0], &want)
	}
}

func testUpdate(t *testing.T, s store.Store) {
	j, other := Job("name", "group"), Job("name", "group")
	submit(t, s, j, other)
	update(t, s, j.ID, func(got *job.Job) {
		same(t, "what change is given", got, j)
		got.Message, got.Last().PID = "changed", 42
		got.Kill = &job.Kill{At: j.SubmittedAt, Signal: "TERM", Until: j.SubmittedAt}
	})
	j.Message, j.Last().PID = "changed", 42
	j.Kill = &job.Kill{At: j.SubmittedAt, Signal: "TERM", Until: j.SubmittedAt}
	same(t, "the job", get(t, s, j.ID, -1), j)
	same(t, "the other", get(t, s, other.ID, -1), other)
}

func testUpdateRuns(t *testing.T, s store.Store) {
	j := withRuns(2)
	submit(t, s, j)
	update(t, s, j.ID, func(got *job.Job) {
		if len(got.Runs) != 1 || got.Runs[0].N != 2 {
			t.Fatalf("loaded were %+v", got.Runs)
		}
		got.Last().Message = "over"
		addRun(got)
		addRun(got)
	})
	j.Last().Message = "over"
	addRun(j)
	addRun(j)
	same(t, "the job", get(t, s, j.ID, -1), j)
}

func testUpdateMissing(t *testing.T, s store.Store) {
	j := Job("name", "group")
	submit(t, s, j)
	calls := 0
	err := s.Update(t.Context(), []job.ID{job.NewID(), j.ID, "", j.ID}, func(j *job.Job) error {
		calls++
		j.Message = "changed"
		return nil
	})
	if err != nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
	if len(query(t, s, store.Filter{})) != 1 || get(t, s, j.ID, 0).Message != "changed" {
		t.Error("the job that is there was not changed, or others were added")
	}
}

func testUpdateUnchanged(t *testing.T, s store.Store) {
	a, b := Job("a", "group"), Job("b", "group")
	submit(t, s, a, b)
	err := s.Update(t.Context(), []job.ID{a.ID, b.ID}, func(j *job.Job) error {
		j.Message, j.Last().Message = "changed", "changed"
		if j.ID == a.ID {
			return fmt.Errorf("wrapped: %w", store.ErrUnchanged)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the unchanged job", get(t, s, a.ID, -1), a)
	if get(t, s, b.ID, -1).Message != "changed" {
		t.Error("the other was not changed")
	}
}

func testUpdateAbort(t *testing.T, s store.Store) {
	a, b := Job("a", "group"), Job("b", "group")
	submit(t, s, a, b)
	no := errors.New("no")
	calls := 0
	err := s.Update(t.Context(), []job.ID{a.ID, b.ID}, func(j *job.Job) error {
		Complete(j, job.Killed)
		addRun(j)
		if calls++; calls == 2 {
			return no
		}
		return nil
	})
	if !errors.Is(err, no) {
		t.Fatalf("the error is %v", err)
	}
	same(t, "the first job", get(t, s, a.ID, -1), a)
	same(t, "the second job", get(t, s, b.ID, -1), b)
}

func testUpdatePanic(t *testing.T, s store.Store) {
	j := Job("name", "group")
	submit(t, s, j)
	func() {
		defer func() {
			if got := recover(); got != "change's own" {
				t.Errorf("the panic became %v", got)
			}
		}()
		update(t, s, j.ID, func(j *job.Job) { j.Message = "changed"; panic("change's own") })
	}()
	same(t, "the job", get(t, s, j.ID, -1), j)
	update(t, s, j.ID, func(j *job.Job) { j.Message = "later" })
}

func testUpdateConcurrent(t *testing.T, s store.Store) {
	const writers, rounds = 8, 5
	jobs := []*job.Job{Job("a", "group"), Job("b", "group"), Job("c", "group")}
	submit(t, s, jobs...)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for range rounds {
				// Two of the three, in either order.
				ids := []job.ID{jobs[w%3].ID, jobs[(w+1+w%2)%3].ID}
				err := s.Update(t.Context(), ids, func(j *job.Job) error {
					j.SuccessCount++
					addRun(j)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				if _, err := s.Query(t.Context(), store.Filter{Active: true}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	sum := 0
	for _, j := range jobs {
		got := get(t, s, j.ID, -1)
		sum += got.SuccessCount
		if len(got.Runs) != got.SuccessCount+1 {
			t.Errorf("%d runs after %d updates", len(got.Runs), got.SuccessCount)
		}
	}
	if sum != 2*writers*rounds {
		t.Errorf("%d updates were kept of %d", sum, 2*writers*rounds)
	}
}

func testEnv(t *testing.T, s store.Store) {
	j := Job("name", "group")
	submit(t, s, j)
	for range 3 {
		update(t, s, j.ID, addRun)
		if env, err := s.Env(t.Context(), j.ID); err != nil || string(env) != "A=1\x00" {
			t.Fatalf("%q, %v", env, err)
		}
	}
}
