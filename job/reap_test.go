package job

import (
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"
)

func TestJobsWhoseOutputIsNotKept(t *testing.T) {
	ended := func(yield func(ID, time.Time) bool) {
		for i := range 5 { // at minutes 0 to 4
			if !yield(ID(fmt.Sprint(i)), t0.Add(time.Duration(i)*time.Minute)) {
				return
			}
		}
	}
	for _, c := range []struct {
		name   string
		keep   Retention
		atMost int
		want   []ID
	}{
		{"no limit", Retention{}, 9, nil},
		{"as many as there are", Retention{Jobs: 5}, 9, nil},
		{"one too many", Retention{Jobs: 4}, 9, []ID{"0"}},
		{"all but one", Retention{Jobs: 1}, 9, []ID{"0", "1", "2", "3"}},
		{"just that old", Retention{Since: t0}, 9, nil},
		{"older", Retention{Since: t0.Add(time.Second)}, 9, []ID{"0"}},
		{"all are older", Retention{Since: t0.Add(time.Hour)}, 9, []ID{"0", "1", "2", "3", "4"}},
		{"either limit is enough", Retention{Jobs: 2, Since: t0.Add(time.Minute)}, 9, []ID{"0", "1", "2"}},
		{"either limit is enough, the other way round", Retention{Jobs: 4, Since: t0.Add(2 * time.Minute)}, 9, []ID{"0", "1"}},
		{"a bounded number", Retention{Jobs: 1}, 2, []ID{"0", "1"}},
		{"bytes are of runs", Retention{Bytes: 1}, 9, nil},
	} {
		if got := c.keep.ExcessJobs(5, ended, c.atMost); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRunsWhoseOutputIsNotKept(t *testing.T) {
	outputs := func(sizes ...int64) (int64, iter.Seq2[Ref, int64]) {
		var total int64
		for _, size := range sizes {
			total += size
		}
		return total, func(yield func(Ref, int64) bool) {
			for i, size := range sizes {
				if !yield(Ref{Run: i + 1}, size) {
					return
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		keep   Retention
		sizes  []int64
		atMost int
		want   int // so many of the oldest
	}{
		{"no limit", Retention{Jobs: 1, Held: 100}, []int64{10, 10}, 9, 0},
		{"nothing there", Retention{Bytes: 1}, nil, 9, 0},
		{"just as much", Retention{Bytes: 20}, []int64{10, 10}, 9, 0},
		{"a byte more", Retention{Bytes: 19}, []int64{10, 10}, 9, 1},
		{"the oldest first, though another would do", Retention{Bytes: 1000}, []int64{1, 1, 1000}, 9, 2},
		{"the only one, if it is too big", Retention{Bytes: 9}, []int64{10}, 9, 1},
		{"what runs counts", Retention{Bytes: 20, Held: 5}, []int64{10, 10}, 9, 1},
		{"what runs leaves no room", Retention{Bytes: 20, Held: 50}, []int64{10, 10}, 9, 2},
		{"a bounded number", Retention{Bytes: 1}, []int64{10, 10, 10}, 2, 2},
	} {
		total, oldest := outputs(c.sizes...)
		got := c.keep.ExcessRuns(total, oldest, c.atMost)
		for i, ref := range got {
			if ref.Run != i+1 {
				t.Errorf("%s: they are not the oldest: %v", c.name, got)
			}
		}
		if len(got) != c.want {
			t.Errorf("%s: %v, want %d", c.name, got, c.want)
		}
	}
}

func TestAJobKeepsTheOutputOfItsLastRuns(t *testing.T) {
	for keep, want := range map[int]int{0: 0, 1: 4, 2: 3, 5: 0, 9: 0} {
		spec := Spec{Retries: Retries{NumRuns: 5, NumSuccesses: -1, NumFailures: -1, SuccessCodes: Codes{{0, 0}}}}
		spec.Log.Job.MaxRuns = keep
		w := newWorld(t, spec, exits(0, 1, 0))
		w.live(100)
		if w.job.RunCount != 5 || w.job.ReapedRuns != want {
			t.Errorf("max-runs %d: of %d runs the first %d are reaped, want %d", keep, w.job.RunCount, w.job.ReapedRuns, want)
		}
		for i := range w.job.Runs {
			if r := &w.job.Runs[i]; w.job.Reaped(r) != (r.N <= want) {
				t.Errorf("max-runs %d: run %d is reaped: %t", keep, r.N, w.job.Reaped(r))
			}
		}
	}
}

func TestCleaningChooses(t *testing.T) {
	var jobs []*Job // newest first: e to a; c is active, d ended before b
	for i, name := range []string{"e", "d", "c", "b", "a"} {
		j := &Job{Phase: Done, Result: Success, StoppedAt: t0.Add(-time.Duration(i) * time.Hour)}
		j.Spec.Name, j.Spec.Group = name, "odd"
		if i%2 == 1 {
			j.Spec.Group, j.Result = "even", Failure
		}
		jobs = append(jobs, j)
	}
	jobs[2].Phase, jobs[2].StoppedAt = Running, time.Time{}
	jobs[1].StoppedAt = t0.Add(-10 * time.Hour)
	for _, c := range []struct {
		name string
		rule Cleaning
		want string
	}{
		{"all", Cleaning{}, "edba"},
		{"a result", Cleaning{Results: []Result{Failure}}, "db"},
		{"several results", Cleaning{Results: []Result{Failure, Success}}, "edba"},
		{"a group", Cleaning{Groups: []string{"odd"}}, "ea"},
		{"a group and a result", Cleaning{Groups: []string{"odd"}, Results: []Result{Failure}}, ""},
		{"old ones", Cleaning{Before: t0.Add(-3 * time.Hour)}, "da"},
		{"all but the newest", Cleaning{Keep: 1}, "dba"},
		{"as many are kept as there are", Cleaning{Keep: 4}, ""},
		{"the newest of a group", Cleaning{Keep: 1, Groups: []string{"even"}}, "b"},
		{"young ones count among the newest", Cleaning{Keep: 2, Before: t0.Add(-2 * time.Hour)}, "ba"},
	} {
		got := ""
		for _, j := range c.rule.Choose(jobs) {
			got += j.Spec.Name
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
