package bolt

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"jobman/job"
	"jobman/store"
	"jobman/store/storetest"
)

// commits returns how many commits the index has seen.
func commits(t *testing.T, s *Store) (n int) {
	t.Helper()
	err := s.view(t.Context(), func(t tx) error {
		n = t.ID()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEachWriteIsOneCommit(t *testing.T) {
	s := fresh(t)
	var ids []job.ID
	for range 50 {
		j := storetest.Job("name", "group")
		submit(t, s, j)
		ids = append(ids, j.ID)
	}
	fail := errors.New("fail")
	for _, step := range []struct {
		what string
		want int
		do   func() error
	}{
		{"Submit", 1, func() error { return s.Submit(t.Context(), storetest.Job("new", "group"), nil, false) }},
		{"a refused Submit", 0, func() error {
			var active *store.ActiveError
			if err := s.Submit(t.Context(), storetest.Job("new", "group"), nil, true); !errors.As(err, &active) {
				return fmt.Errorf("it was not refused: %w", err)
			}
			return nil
		}},
		{"Update of 50", 1, func() error { return s.Update(t.Context(), ids, complete) }},
		{"Update that changes nothing", 0, func() error {
			return s.Update(t.Context(), ids, func(*job.Job) error { return nil })
		}},
		{"Update that wants nothing", 0, func() error {
			return s.Update(t.Context(), ids, func(j *job.Job) error { j.Message = "x"; return store.ErrUnchanged })
		}},
		{"Update that fails", 0, func() error {
			err := s.Update(t.Context(), ids, func(j *job.Job) error { j.Message = "x"; return fail })
			if !errors.Is(err, fail) {
				return fmt.Errorf("the error is %w", err)
			}
			return nil
		}},
		{"Update that moves a job to another id", 0, func() error {
			if s.Update(t.Context(), ids[:1], func(j *job.Job) error { j.ID = job.NewID(); return nil }) == nil {
				return errors.New("it was taken")
			}
			return nil
		}},
		{"Delete of 50", 1, func() error { _, err := s.Delete(t.Context(), ids); return err }},
		{"Query", 0, func() error { _, err := s.Query(t.Context(), store.Filter{}); return err }},
	} {
		before := commits(t, s)
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
		if n := commits(t, s) - before; n != step.want {
			t.Errorf("%s: %d commits, want %d", step.what, n, step.want)
		}
	}
}

type operation struct {
	name string
	do   func() error
}

// operations are all that can be done to a store with a job in it.
func operations(t *testing.T, s *Store, id job.ID) []operation {
	fresh := repeatable(0)
	fresh.ID, fresh.Spec.Name = "0badc0de-0000-4000-8000-000000000000", "new"
	return []operation{
		{"Check", func() error { return s.Check(t.Context()) }},
		{"Get", func() error { _, err := s.Get(t.Context(), id, -1); return err }},
		{"Env", func() error { _, err := s.Env(t.Context(), id); return err }},
		{"Query", func() error { _, err := s.Query(t.Context(), store.Filter{}); return err }},
		{"Submit", func() error { return s.Submit(t.Context(), fresh, []byte("A=1\x00"), true) }},
		{"Update", func() error {
			return s.Update(t.Context(), []job.ID{id}, func(j *job.Job) error { j.Message += "x"; return nil })
		}},
		{"Delete", func() error { _, err := s.Delete(t.Context(), []job.ID{id}); return err }},
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	s := open(t, t.TempDir()+"/.db")
	j := storetest.Job("name", "group")
	submit(t, s, j)
	err := s.update(t.Context(), func(t tx) (bool, error) {
		return true, errors.Join(t.Bucket(bucketMeta).Put(keySchema, strconv.AppendInt(nil, schema+1, 10)), t.DeleteBucket(bucketByTime))
	}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	before := bytesOf(t, s)
	for _, o := range operations(t, s, j.ID) {
		if err := o.do(); !errors.Is(err, store.ErrSchema) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", o.name, err)
		}
	}
	if bytesOf(t, s) != before {
		t.Error("the index was changed")
	}
}

func bytesOf(t *testing.T, s *Store) string {
	t.Helper()
	b, err := os.ReadFile(s.path())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAForeignProgramInTheIndexIsTold(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	j := storetest.Job("name", "group")
	submit(t, s, j)
	db, err := bbolt.Open(s.path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Get(t.Context(), j.ID, 1); err == nil || !strings.Contains(err.Error(), "not jobman") {
		t.Errorf("the error is %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Get(t.Context(), j.ID, 1); err != nil {
		t.Error(err)
	}
}
