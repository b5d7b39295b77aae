package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"jobman/job"
	"jobman/store"
)

// testDeleteMany empties whole regions of whatever keeps the jobs.
func testDeleteMany(t *testing.T, s store.Store) {
	var ids, kept []job.ID
	for i := range 90 {
		j := withRuns(1 + i%3)
		j.Message = strings.Repeat("m", i%7*600)
		for r := range j.Runs {
			j.Runs[r].Message = strings.Repeat("m", i%5*900)
		}
		Complete(j, job.Success)
		submit(t, s, j)
		if i%30 == 0 {
			kept = append(kept, j.ID)
		} else {
			ids = append(ids, j.ID)
		}
	}
	deleted, err := s.Delete(t.Context(), ids)
	if err != nil || !slices.Equal(deleted, ids) {
		t.Fatalf("deleted %d of %d, %v", len(deleted), len(ids), err)
	}
	if n := len(query(t, s, store.Filter{})); n != len(kept) {
		t.Errorf("%d jobs are left", n)
	}
	for i, id := range ids { // whatever is left of a job would become its namesake's
		if i%3 > 0 {
			continue
		}
		j := Job("name", "group")
		j.ID, j.Runs, j.RunCount = id, nil, 0
		submit(t, s, j)
		same(t, "a job in the place of another", get(t, s, id, -1), j)
	}
}

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
