package bolt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"jobman/job"
	"jobman/store"
	"jobman/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "parent", ".db")) })
}

// open returns the store in root, whose log must stay empty.
func open(t testing.TB, root string) *Store {
	t.Helper()
	s, err := Open(root, Options{Log: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fresh returns an empty store, which is checked at the end of the test.
func fresh(t *testing.T) *Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), ".db"))
	t.Cleanup(func() { check(t, s) })
	return s
}

func check(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

func submit(t *testing.T, s *Store, jobs ...*job.Job) {
	t.Helper()
	for _, j := range jobs {
		if err := s.Submit(t.Context(), j, []byte("A=1\x00"), false); err != nil {
			t.Fatal(err)
		}
	}
}

func complete(j *job.Job) error {
	storetest.Complete(j, job.Success)
	return nil
}

func TestOnlySubmitCreatesAStore(t *testing.T) {
	root := filepath.Join(t.TempDir(), "parent", ".db")
	s := open(t, root)
	id := job.NewID()
	_, _ = s.Get(t.Context(), id, 1)
	_, _ = s.Env(t.Context(), id)
	_, _ = s.Query(t.Context(), store.Filter{})
	_ = s.Update(t.Context(), []job.ID{id}, complete)
	_, _ = s.Delete(t.Context(), []job.ID{id})
	check(t, s)
	if _, err := os.Lstat(filepath.Dir(root)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("something was created: %v", err)
	}
	submit(t, s, storetest.Job("name", "group"))
	check(t, s)
}

func TestManyMayBeTheFirst(t *testing.T) {
	for range 40 {
		s := open(t, filepath.Join(t.TempDir(), ".db"))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := s.Submit(t.Context(), storetest.Job("name", "group"), nil, false); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				if _, err := s.Query(t.Context(), store.Filter{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if jobs, err := s.Query(t.Context(), store.Filter{}); err != nil || len(jobs) != 8 {
			t.Fatalf("%d jobs, %v", len(jobs), err)
		}
	}
}

func TestARelativePathIsRefused(t *testing.T) {
	if _, err := Open("db", Options{}); err == nil {
		t.Error("it was opened")
	}
}

func TestSubmitRefusesWhatIsNoID(t *testing.T) {
	s := fresh(t)
	for _, id := range []job.ID{"", "x", "../../../../../tmp/xxxx-xxxxxxxxxxxxxxx"} {
		j := storetest.Job("name", "group")
		j.ID = id
		if err := s.Submit(t.Context(), j, nil, false); err == nil {
			t.Errorf("%q was added", id)
		}
	}
}

// The first Submit may be interrupted anywhere: what it leaves is no store yet.
func TestAnInterruptedCreationIsRepeated(t *testing.T) {
	s := fresh(t)
	if err := s.tree.Create(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path()+".new", []byte("half an index"), 0o600); err != nil {
		t.Fatal(err)
	}
	if jobs, err := s.Query(t.Context(), store.Filter{}); err != nil || len(jobs) != 0 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
	submit(t, s, storetest.Job("name", "group"))
	if _, err := os.Lstat(s.path() + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the half is still there")
	}
}
