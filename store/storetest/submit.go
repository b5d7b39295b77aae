package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"jobman/job"
	"jobman/store"
)

func testEmpty(t *testing.T, s store.Store) {
	id := job.NewID()
	if _, err := s.Get(t.Context(), id, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.Env(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Env: %v", err)
	}
	if jobs := query(t, s, store.Filter{}); len(jobs) != 0 {
		t.Errorf("Query: %d jobs", len(jobs))
	}
	update(t, s, id, func(*job.Job) { t.Error("change was called") })
	if deleted, err := s.Delete(t.Context(), []job.ID{id}); err != nil || len(deleted) != 0 {
		t.Errorf("Delete: %v, %v", deleted, err)
	}
}

func testSubmit(t *testing.T, s store.Store) {
	j := Job("name", "group")
	j.Spec.Command = []job.Text{"a\nb", "", "\xff\xfe", "<&>", "\u2028", job.Text(strings.Repeat("x", 100_000))}
	before := picture(j)
	env := []byte("A=1\x00\xff\xfe=\n\x00")
	if err := s.Submit(t.Context(), j, env, false); err != nil {
		t.Fatal(err)
	}
	if picture(j) != before {
		t.Error("Submit changed the job")
	}
	same(t, "Get", get(t, s, j.ID, -1), j)
	if got, err := s.Env(t.Context(), j.ID); err != nil || string(got) != string(env) {
		t.Errorf("Env: %q, %v", got, err)
	}
	none := Job("without environment", "group")
	if err := s.Submit(t.Context(), none, nil, false); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Env(t.Context(), none.ID); err != nil || len(got) != 0 {
		t.Errorf("Env of a job without: %q, %v", got, err)
	}
}

func testSubmitTwice(t *testing.T, s store.Store) {
	j := Job("name", "group")
	submit(t, s, j)
	again := Job("other", "group")
	again.ID = j.ID
	if err := s.Submit(t.Context(), again, nil, false); err == nil {
		t.Error("the same id was added twice")
	}
	same(t, "the first job", get(t, s, j.ID, -1), j)
}

func testUnique(t *testing.T, s store.Store) {
	unique := func(j *job.Job) error { return s.Submit(t.Context(), j, nil, true) }
	first := Job("nightly", "group")
	if err := unique(first); err != nil {
		t.Fatal(err)
	}
	second := Job("nightly", "other group")
	var active *store.ActiveError
	if err := unique(second); !errors.As(err, &active) || active.ID != first.ID {
		t.Errorf("the name is taken: %v", err)
	}
	if _, err := s.Get(t.Context(), second.ID, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the refused job was added: %v", err)
	}
	if err := unique(Job("nightly2", "group")); err != nil {
		t.Errorf("another name: %v", err)
	}
	submit(t, s, Job("nightly", "group")) // may be, without unique
	for _, j := range query(t, s, store.Filter{Name: "nightly"}) {
		update(t, s, j.ID, func(j *job.Job) { Complete(j, job.Success) })
	}
	if err := unique(second); err != nil {
		t.Errorf("all of the name are completed: %v", err)
	}
}

func testUniqueConcurrent(t *testing.T, s store.Store) {
	const n = 16
	errs := make([]error, n)
	jobs := make([]*job.Job, n)
	var all sync.WaitGroup
	for i := range n {
		jobs[i] = Job("nightly", "group")
		all.Go(func() { errs[i] = s.Submit(t.Context(), jobs[i], nil, true) })
	}
	all.Wait()
	there := query(t, s, store.Filter{})
	if len(there) != 1 {
		t.Fatalf("%d jobs were added", len(there))
	}
	for i, err := range errs {
		var active *store.ActiveError
		switch {
		case err == nil && jobs[i].ID != there[0].ID:
			t.Errorf("job %d was acknowledged and is not there", i)
		case err != nil && (!errors.As(err, &active) || active.ID != there[0].ID):
			t.Errorf("job %d: %v", i, err)
		}
	}
}

func testCanceled(t *testing.T, s store.Store) {
	j := Job("name", "group")
	submit(t, s, j)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Submit(ctx, Job("late", "group"), nil, false); !errors.Is(err, context.Canceled) {
		t.Errorf("Submit: %v", err)
	}
	if _, err := s.Get(ctx, j.ID, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.Query(ctx, store.Filter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Query: %v", err)
	}
	err := s.Update(ctx, []job.ID{j.ID}, func(j *job.Job) error { j.Message = "late"; return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v", err)
	}
	if _, err := s.Delete(ctx, []job.ID{j.ID}); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete: %v", err)
	}
	jobs := query(t, s, store.Filter{})
	if len(jobs) != 1 {
		t.Fatalf("%d jobs", len(jobs))
	}
	same(t, "the job", jobs[0], j)
}
