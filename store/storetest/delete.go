package storetest

import (
	"errors"
	"slices"
	"testing"

	"jobman/job"
	"jobman/store"
)

func testDelete(t *testing.T, s store.Store) {
	active, done, kept := withRuns(3), withRuns(3), withRuns(3)
	Complete(done, job.Success)
	Complete(kept, job.Failure)
	submit(t, s, active, done, kept)
	deleted, err := s.Delete(t.Context(), []job.ID{job.NewID(), active.ID, done.ID, done.ID})
	if err != nil || !slices.Equal(deleted, []job.ID{done.ID}) {
		t.Fatalf("deleted %v, %v", deleted, err)
	}
	if _, err := s.Get(t.Context(), done.ID, -1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get of the deleted: %v", err)
	}
	same(t, "the active job", get(t, s, active.ID, -1), active)
	same(t, "the other completed job", get(t, s, kept.ID, -1), kept)
	for _, f := range []store.Filter{{}, {Name: "name"}, {Groups: []string{"group"}}} {
		if n := len(query(t, s, f)); n != 2 {
			t.Errorf("Query(%+v): %d jobs", f, n)
		}
	}
	again := withRuns(1)
	again.ID = done.ID
	submit(t, s, again)
	same(t, "a job in its place", get(t, s, done.ID, -1), again)
	if _, err := s.Delete(t.Context(), nil); err != nil {
		t.Errorf("Delete of nothing: %v", err)
	}
}
