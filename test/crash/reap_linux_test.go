package crash

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jobman/job"
	"jobman/store"
	"jobman/test/settings"
)

// Of a job whose end leaves no room for the output of the one before.
var systemdReap = []crash{
	{at: "step:reap"},
	{at: "step:remove"},
	{at: "step:removed"},
	{at: "step:reaped"},
	{at: "reconcile:reap", also: []string{"ended:rename-exit", "step:commit!"}},
	{at: "reconcile:remove", also: []string{"ended:rename-exit", "step:commit!"}},
	{at: "reconcile:removed", also: []string{"ended:rename-exit", "step:commit!"}},
}

var forkReap = []crash{
	{at: "shim:reap"},
	{at: "shim:remove"},
	{at: "shim:removed"},
	{at: "shim:reaped"},
	{at: "reconcile:remove", also: []string{"shim:renamed-exit"}},
}

// crashReaping kills who reaps; next says what comes along then.
func crashReaping(t *testing.T, next string) {
	points := systemdReap
	if settings.Here == "fork" {
		points = forkReap
	}
	for _, c := range points {
		t.Run("reap,"+c.at+","+next, func(t *testing.T) {
			t.Parallel()
			for range attempts {
				h := newHouse(t)
				if err := os.WriteFile(filepath.Join(h.Dir, ".jobman.toml"), []byte("[reaper]\nmax_jobs = 1\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				h.Jobman("run", "-q", "--name", "old", "--retries.num-runs", "2", "--", "echo", "old")
				h.Jobman("wait", "-q", "old")
				h.quiet()
				h.crash(c, "run", "--name", "victim", "--", "sh", "-c", "echo x >> starts; echo new; exit 7")
				if !strings.HasPrefix(c.at, "reconcile:") {
					// It comes after the end is recorded, for which goOn waits.
					eventually(t, "the crash comes", func() bool { return h.hit(c.at) })
				}
				if h.goOn(c, next) {
					h.judge(c, done)
					h.reaped("old", true)
					h.reaped("victim", false)
					return
				}
			}
			t.Errorf("in %d attempts %s was not met", attempts, c.at)
		})
	}
}

// reaped holds the output of a completed job against what it should be.
func (h *house) reaped(name string, want bool) {
	h.Helper()
	jobs, err := h.store.Query(h.Context(), store.Filter{Name: name, Runs: -1})
	if err != nil || len(jobs) != 1 || !jobs[0].Completed() {
		h.Fatalf("%s: %d jobs, %v", name, len(jobs), err)
	}
	j := jobs[0]
	for i := range j.Runs {
		logs := h.tree.Run(job.Ref{ID: j.ID, Run: j.Runs[i].N}).Logs()
		if _, err := os.Lstat(logs); errors.Is(err, fs.ErrNotExist) != want || j.Reaped(&j.Runs[i]) != want {
			h.Errorf("run %d of %s is reaped: %t, its files: %v; want %t", i+1, name, j.Reaped(&j.Runs[i]), err, want)
		}
	}
}

// crashCleaning kills `clean`; the next one finishes what it began.
func crashCleaning(t *testing.T) {
	for _, at := range []string{"jobman:commit", "jobman:committed", "jobman:remove", "jobman:removed"} {
		t.Run("clean,"+at, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.Jobman("run", "-q", "--name", "done", "--", "echo", "done")
			h.Jobman("wait", "-q", "done")
			h.acknowledged = strings.TrimSpace(h.Jobman("run", "-q", "--name", "victim", "--", "sh", "-c",
				"echo x >> starts; echo out; until test -e go; do sleep 0.02; done; exit 7"))
			eventually(t, "the command runs", func() bool { return h.starts() == 1 })
			h.crash(crash{at: at}, "clean", "-q", "--all")
			if !h.hit(at) {
				t.Errorf("%s was not met", at)
			}
			h.Jobman("clean", "-q", "--all")
			left, err := h.tree.Jobs()
			if err != nil || !slices.Equal(left, []job.ID{job.ID(h.acknowledged)}) {
				t.Errorf("files are left of %v, %v", left, err)
			}
			if jobs, err := h.store.Query(h.Context(), store.Filter{}); err != nil || len(jobs) != 1 {
				t.Errorf("%d jobs are left, %v", len(jobs), err)
			}
			if err := os.WriteFile(filepath.Join(h.Dir, "go"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the active job ends", func() bool {
				j := h.victim()
				return j != nil && j.Completed()
			})
			h.judge(crash{}, done)
			h.reaped("victim", false)
		})
	}
}
