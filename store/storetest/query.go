package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
)

func names(jobs []*job.Job) []string {
	out := []string{}
	for _, j := range jobs {
		out = append(out, j.Spec.Name)
	}
	return out
}

// expect runs a query and compares the names, newest first.
func expect(t *testing.T, s store.Store, f store.Filter, want ...string) {
	t.Helper()
	if got := names(query(t, s, f)); !slices.Equal(got, want) {
		t.Errorf("Query(%+v):\n got %q\nwant %q", f, got, want)
	}
}

var epoch = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// at returns a job that was submitted so many nanoseconds after the epoch.
func at(offset time.Duration, name string, result job.Result) *job.Job {
	j := Job(name, "group")
	j.SubmittedAt = epoch.Add(offset)
	if result != "" {
		Complete(j, result)
	}
	return j
}

func testOrder(t *testing.T, s store.Store) {
	submit(t, s,
		at(1, "c", job.Success), at(-60*365*24*time.Hour, "f", ""), at(2, "b", ""), at(-1, "e", job.Failure),
		at(0, "d", ""), at(time.Hour, "a", job.Success))
	expect(t, s, store.Filter{}, "a", "b", "c", "d", "e", "f")
	expect(t, s, store.Filter{Active: true, Done: true}, "a", "b", "c", "d", "e", "f")
	expect(t, s, store.Filter{Active: true}, "b", "d", "f")
	expect(t, s, store.Filter{Done: true}, "a", "c", "e")
	expect(t, s, store.Filter{Groups: []string{"group"}}, "a", "b", "c", "d", "e", "f")
}

func testNewest(t *testing.T, s store.Store) {
	submit(t, s, at(1, "a", job.Success), at(2, "b", ""), at(3, "c", job.Failure), at(4, "d", ""), at(5, "e", job.Success), at(6, "f", ""))
	expect(t, s, store.Filter{Newest: 2}, "f", "e", "d", "c")
	expect(t, s, store.Filter{Newest: 1, Active: true}, "f")
	expect(t, s, store.Filter{Newest: 2, Done: true, Results: []job.Result{job.Success}}, "e", "a")
	expect(t, s, store.Filter{Newest: 9}, "f", "e", "d", "c", "b", "a")
}

func testLimit(t *testing.T, s store.Store) {
	for i := range 10 {
		result := job.Success
		if i%2 == 0 {
			result = ""
		}
		submit(t, s, at(time.Duration(i), fmt.Sprint(i), result))
	}
	expect(t, s, store.Filter{Limit: 2}, "9", "8", "7", "6", "4", "2", "0")
	expect(t, s, store.Filter{Limit: 2, Done: true}, "9", "7")
	expect(t, s, store.Filter{Limit: 2, Active: true}, "8", "6", "4", "2", "0")
	expect(t, s, store.Filter{Limit: 2, Done: true, Globs: []string{"[1-5]"}}, "5", "3")
	expect(t, s, store.Filter{Limit: 100, Done: true}, "9", "7", "5", "3", "1")
}

func testFilter(t *testing.T, s store.Store) {
	a, b, c, d := at(4, "a", ""), at(3, "b", job.Success), at(2, "c", job.Failure), at(1, "a", job.Killed)
	a.ID, b.ID = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
	c.ID, d.ID = "aaaabbbb-0000-4000-8000-000000000003", "ccccaaaa-0000-4000-8000-000000000004"
	b.Spec.Group, c.Spec.Group = "etl", ""
	submit(t, s, a, b, c, d)
	for _, f := range []struct {
		store.Filter
		want []string
	}{
		{store.Filter{ID: b.ID}, []string{"b"}},
		{store.Filter{ID: b.ID, Active: true}, nil},
		{store.Filter{ID: b.ID, Name: "c"}, nil},
		{store.Filter{ID: b.ID[:8]}, nil},
		{store.Filter{IDPrefix: "aaaa"}, []string{"a", "b", "c"}},
		{store.Filter{IDPrefix: "aaaaa"}, []string{"a", "b"}},
		{store.Filter{IDPrefix: string(b.ID)}, []string{"b"}},
		{store.Filter{IDPrefix: string(b.ID) + "/"}, nil},
		{store.Filter{IDPrefix: "aaaa", Limit: 1}, []string{"a", "b"}},
		{store.Filter{IDPrefix: "d"}, nil},
		{store.Filter{ID: a.ID, IDPrefix: "cccc"}, nil},
		{store.Filter{Name: "a"}, []string{"a", "a"}},
		{store.Filter{Name: "a", Done: true}, []string{"a"}},
		{store.Filter{Name: "a", Groups: []string{"etl"}}, nil},
		{store.Filter{Name: "*"}, nil},
		{store.Filter{Globs: []string{"*"}}, []string{"a", "b", "c", "a"}},
		{store.Filter{Globs: []string{"b", "[c-d]"}}, []string{"b", "c"}},
		{store.Filter{Groups: []string{"etl", "", "none", "etl"}}, []string{"b", "c"}},
		{store.Filter{Groups: []string{"etl", ""}, Limit: 1}, []string{"b"}},
		{store.Filter{Groups: []string{"group", ""}, Globs: []string{"[bc]"}}, []string{"c"}},
		{store.Filter{Results: []job.Result{job.Killed, job.Success}}, []string{"b", "a"}},
		{store.Filter{Results: []job.Result{job.Killed}, Active: true}, nil},
		{store.Filter{Results: []job.Result{job.Neutral}}, nil},
	} {
		expect(t, s, f.Filter, f.want...)
	}
}

func testBrief(t *testing.T, s store.Store) {
	submit(t, s, at(1, "a", ""))
	submit(t, s, at(2, "b", job.Success))
	full := query(t, s, store.Filter{})
	for _, j := range full {
		j.Spec = job.Spec{Name: j.Spec.Name, Group: j.Spec.Group}
	}
	if brief := query(t, s, store.Filter{Brief: true}); len(full) != 2 || !reflect.DeepEqual(full, brief) {
		t.Errorf("in brief:\n%+v\n%+v", brief, full)
	}
}

func testBadPattern(t *testing.T, s store.Store) {
	submit(t, s, Job("name", "group"))
	if jobs, err := s.Query(t.Context(), store.Filter{Globs: []string{"*", "a[b"}}); err == nil {
		t.Errorf("%d jobs", len(jobs))
	}
}

func testLongNames(t *testing.T, s store.Store) {
	long := strings.Repeat("x", 2<<20)
	for _, name := range []string{"", "short", long[:200], long[:256], long[:257], long[:40_000], long[1:40_000] + "y", long} {
		j := Job(name, "group")
		submit(t, s, j)
		for _, f := range []store.Filter{
			{Name: name, Active: true},
			{Globs: []string{name}},
			{Groups: []string{"group"}, Globs: []string{name}},
		} {
			if name == "" && f.Globs == nil {
				continue // selects everything
			}
			jobs := query(t, s, f)
			if len(jobs) != 1 || jobs[0].ID != j.ID {
				t.Errorf("a name of %d bytes: %d jobs found", len(name), len(jobs))
			}
		}
		if err := s.Submit(t.Context(), Job(name, "group"), nil, true); err == nil {
			t.Errorf("a name of %d bytes: not unique", len(name))
		}
		update(t, s, j.ID, func(j *job.Job) { Complete(j, job.Success) })
		if _, err := s.Delete(t.Context(), []job.ID{j.ID}); err != nil {
			t.Error(err)
		}
	}
}
