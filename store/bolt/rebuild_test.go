package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jobman/job"
	"jobman/store"
	"jobman/store/storetest"
	"jobman/store/tree"
)

// leaveFiles writes the files of jobs as if an index had been there.
func leaveFiles(t *testing.T, dir string, jobs []*job.Job) {
	t.Helper()
	files := tree.Tree(dir)
	if err := files.Create(); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for part := range 4 {
		writers.Go(func() {
			for i := part; i < len(jobs); i += 4 {
				j := jobs[i]
				if err := errors.Join(files.WriteJob(j.ID, &j.Spec, []byte("A=b\x00")), files.WriteState(j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
}

func many(n int) []*job.Job {
	jobs := make([]*job.Job, n)
	began := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for i := range jobs {
		jobs[i] = storetest.Job(fmt.Sprint("job", i), "group")
		jobs[i].SubmittedAt = began.Add(time.Duration(i) * time.Second)
		if i%11 != 0 {
			storetest.Complete(jobs[i], job.Success)
		}
	}
	return jobs
}

func rebuild(t *testing.T, s *Store) (Rebuilt, bool) {
	t.Helper()
	r, rebuilt, err := s.Rebuild(t.Context(), func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, rebuilt
}

func TestALostIndexIsRebuilt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	jobs := many(10_000)
	leaveFiles(t, dir, jobs)
	s := open(t, dir)
	if _, err := s.Query(t.Context(), store.Filter{}); !errors.Is(err, store.ErrDamaged) {
		t.Fatalf("without its index: %v", err)
	}
	if r, rebuilt := rebuild(t, s); !rebuilt || r.Jobs != len(jobs) || len(r.Skipped) > 0 || r.Old != "" {
		t.Fatalf("%t, %+v", rebuilt, r)
	}
	back, err := s.Query(t.Context(), store.Filter{Runs: -1})
	if err != nil || len(back) != len(jobs) {
		t.Fatalf("%d jobs, %v", len(back), err)
	}
	for i, j := range back { // newest first
		if want := jobs[len(jobs)-1-i]; !reflect.DeepEqual(j, want) {
			t.Fatalf("job %d came back as\n%+v\nand was\n%+v", i, j, want)
		}
	}
	if env, err := s.Env(t.Context(), jobs[0].ID); err != nil || string(env) != "A=b\x00" {
		t.Errorf("the environment is %q, %v", env, err)
	}
	if _, rebuilt := rebuild(t, s); rebuilt {
		t.Error("a sound index was rebuilt")
	}
}

func TestADamagedIndexIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	s := open(t, dir)
	jobs := many(20)
	for _, j := range jobs {
		if err := s.Submit(t.Context(), j, []byte("A=b\x00"), false); err != nil {
			t.Fatal(err)
		}
	}
	damaged := []byte(strings.Repeat("no index ", 10_000))
	if err := os.WriteFile(s.path(), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	// What a rebuild that was killed has left.
	if err := os.WriteFile(s.aside(), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, rebuilt := rebuild(t, s)
	if !rebuilt || r.Jobs != len(jobs) {
		t.Fatalf("%t, %+v", rebuilt, r)
	}
	if kept, err := os.ReadFile(r.Old); err != nil || string(kept) != string(damaged) {
		t.Errorf("the old index: %d bytes, %v", len(kept), err)
	}
}

func TestWhatCantBeReadIsLeftOutAndSaid(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	jobs := many(5)
	leaveFiles(t, dir, jobs)
	files := tree.Tree(dir)
	for i, spoil := range []func() error{
		func() error { return os.Truncate(filepath.Join(files.Job(jobs[0].ID), "state"), 0) },
		func() error { return os.Truncate(files.Run(jobs[1].Ref()).File("state"), 10) },
		func() error { return os.Remove(filepath.Join(files.Job(jobs[2].ID), "state")) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(i, err)
		}
	}
	r, rebuilt := rebuild(t, open(t, dir))
	if !rebuilt || r.Jobs != 2 || len(r.Skipped) != 3 {
		t.Fatalf("%t, %+v", rebuilt, r)
	}
}

// raise makes the index one of a newer jobman.
func raise(t *testing.T, s *Store) {
	t.Helper()
	db, err := bbolt.Open(s.path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(b *bbolt.Tx) error { return b.Bucket(bucketMeta).Put(keySchema, []byte("99")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestANewerIndexIsNotRebuilt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	s := open(t, dir)
	if err := s.Submit(t.Context(), many(1)[0], nil, false); err != nil {
		t.Fatal(err)
	}
	raise(t, s)
	before, err := os.ReadFile(s.path())
	if err != nil {
		t.Fatal(err)
	}
	if _, rebuilt, err := s.Rebuild(context.Background(), func(int, int) {}); rebuilt || !errors.Is(err, store.ErrSchema) {
		t.Fatalf("%t, %v", rebuilt, err)
	}
	after, err := os.ReadFile(s.path())
	if err != nil || string(before) != string(after) {
		t.Errorf("the index was changed, %v", err)
	}
}
