package bolt

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
	"jobman/store/storetest"
)

// print makes output of a run, as it is recorded when the run ends.
func print(t *testing.T, s *Store, id job.ID, r *job.Run, bytes int) {
	t.Helper()
	run := s.tree.Run(job.Ref{ID: id, Run: r.N})
	err := errors.Join(os.MkdirAll(run.Logs(), 0o700), os.WriteFile(filepath.Join(run.Logs(), "log.1"), make([]byte, bytes), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if r.LogBytes, err = run.LogBytes(); err != nil || r.LogBytes != int64(bytes) {
		t.Fatalf("%d bytes, %v", r.LogBytes, err)
	}
}

// filesAgree fails the test unless output is there just where the index says so, and
// the books and the mirror say the same.
func filesAgree(t *testing.T, s *Store) {
	t.Helper()
	jobs, err := s.Query(t.Context(), store.Filter{Runs: -1})
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, j := range jobs {
		for i := range j.Runs {
			r := &j.Runs[i]
			_, err := os.Lstat(s.tree.Run(job.Ref{ID: j.ID, Run: r.N}).Logs())
			there := err == nil
			if want := r.LogBytes > 0 && !j.Reaped(r); there != want {
				t.Errorf("output of run %d of %s is there: %t, want %t", r.N, j.ID, there, want)
			}
			if there {
				total += r.LogBytes
			}
		}
		mirror, err := s.tree.ReadState(j.ID)
		if err != nil {
			t.Fatal(err)
		}
		for i := range j.Runs {
			if j.Reaped(&j.Runs[i]) != mirror.Reaped(&mirror.Runs[i]) {
				t.Errorf("the mirror of run %d of %s differs", i+1, j.ID)
			}
		}
	}
	err = s.view(t.Context(), func(t2 tx) error {
		if n := t2.number(keyOutput); n != total {
			t.Errorf("the books say %d bytes, and there are %d", n, total)
		}
		if n := count(t2.Bucket(bucketTrash)); n > 0 {
			t.Errorf("%d entries are in the trash", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, s)
}

// Runs end, are reaped in all ways and jobs are deleted, at random; some of it is cut
// off between the commit and the files.
func TestOutputIsThereJustWhereTheIndexSaysSo(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := fresh(t)
	var ids []job.ID
	some := func() job.ID { return ids[random.IntN(len(ids))] }
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for range 200 {
		at = at.Add(time.Second)
		switch n := random.IntN(12); {
		case n < 3 || len(ids) < 3:
			j := storetest.Job("name", "group")
			submit(t, s, j)
			ids = append(ids, j.ID)
		case n < 8:
			err := s.Update(t.Context(), []job.ID{some()}, func(j *job.Job) error {
				r := j.Last()
				if !r.Active() {
					return store.ErrUnchanged
				}
				r.Phase, r.Result, r.StoppedAt = job.Done, job.Success, at
				if bytes := random.IntN(3) * 100; bytes > 0 {
					print(t, s, j.ID, r, bytes)
				}
				if random.IntN(3) == 0 {
					j.ReapedRuns = max(j.ReapedRuns, r.N-1-random.IntN(2))
				}
				if j.Phase, j.StoppedAt = job.Done, at; random.IntN(3) > 0 {
					j.RunCount++
					j.Runs = append(j.Runs, job.Run{N: j.RunCount, Phase: job.Starting})
					j.Phase, j.StoppedAt = job.Starting, time.Time{}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		case n < 9:
			if _, err := s.Delete(t.Context(), []job.ID{some()}); err != nil {
				t.Fatal(err)
			}
		case n < 11:
			keep := job.Retention{Bytes: int64(1 + random.IntN(2000)), Jobs: random.IntN(10)}
			if _, err := s.Reap(t.Context(), []job.ID{some()}, keep); err != nil {
				t.Fatal(err)
			}
		default: // killed after its commit
			id := some()
			err := s.update(t.Context(), func(x tx) (bool, error) {
				for ref := range x.outputs() {
					r, err := x.reapRun(ref)
					return true, errors.Join(err, s.tree.WriteRun(ref.ID, r))
				}
				j, _, err := x.reapJob(id)
				if err == nil && j != nil {
					err = s.tree.WriteState(j)
				}
				return true, err
			}, func() {})
			if err != nil {
				t.Fatal(err)
			}
		}
		check(t, s)
	}
	for range 2 { // the first removes the files, the second forgets them
		if _, err := s.Reap(t.Context(), nil, job.Retention{}); err != nil {
			t.Fatal(err)
		}
	}
	filesAgree(t, s)

	// From the files the same index is made again.
	if err := os.Remove(s.path()); err != nil {
		t.Fatal(err)
	}
	rebuild(t, s)
	filesAgree(t, s)
}

func TestARebuildFinishesWhatReapingHasLeft(t *testing.T) {
	s := fresh(t)
	submit(t, s, storetest.Job("first", "group"))
	j := storetest.Job("name", "group")
	print(t, s, j.ID, j.Last(), 100)
	storetest.Complete(j, job.Success)
	j.Last().Reaped = true
	submit(t, s, j)
	if err := os.Remove(s.path()); err != nil {
		t.Fatal(err)
	}
	rebuild(t, s)
	for range 2 {
		if _, err := s.Reap(t.Context(), nil, job.Retention{}); err != nil {
			t.Fatal(err)
		}
	}
	filesAgree(t, s)
}

func TestARebuildTakesTheSizeOfOutput(t *testing.T) {
	s := fresh(t)
	j := storetest.Job("name", "group")
	storetest.Complete(j, job.Success)
	submit(t, s, j)
	print(t, s, j.ID, new(job.Run{N: 1}), 100)
	if err := os.Remove(s.path()); err != nil {
		t.Fatal(err)
	}
	rebuild(t, s)
	filesAgree(t, s)
}

func TestReapingWithoutWorkIsNoCommit(t *testing.T) {
	s := fresh(t)
	j := storetest.Job("name", "group")
	storetest.Complete(j, job.Success)
	submit(t, s, j)
	before := commits(t, s)
	if _, err := s.Reap(t.Context(), nil, job.Retention{Bytes: 1, Jobs: 1, Since: j.StoppedAt.Truncate(time.Microsecond)}); err != nil {
		t.Fatal(err)
	}
	if n := commits(t, s); n != before {
		t.Errorf("%d commits", n-before)
	}
}

func TestADeletionTakesTheLogsThatWereLeftToo(t *testing.T) {
	s := fresh(t)
	submit(t, s, storetest.Job("first", "group"))
	j := storetest.Job("name", "group")
	print(t, s, j.ID, j.Last(), 100)
	storetest.Complete(j, job.Success)
	submit(t, s, j)
	err := s.update(t.Context(), func(x tx) (bool, error) {
		_, _, err := x.reapJob(j.ID)
		return true, err
	}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if deleted, err := s.Delete(t.Context(), []job.ID{j.ID}); err != nil || len(deleted) != 1 {
		t.Fatalf("deleted %v, %v", deleted, err)
	}
	if _, err := os.Lstat(s.tree.Job(j.ID)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the files: %v", err)
	}
}
