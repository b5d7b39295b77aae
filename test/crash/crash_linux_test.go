package crash

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
	"jobman/store/bolt"
	"jobman/store/tree"
	"jobman/test/settings"
)

// The ways in which a job may be left by a crash, beside its true end.
const (
	done   = "exit 7" // the command's own end
	killed = "killed" // by the kill that is part of the scenario
	died   = "KILL"   // what was to become the command was killed itself
	never  = "not started"
	lost   = "lost"
)

// crash is a point at which a process of jobman is killed.
type crash struct {
	at   string   // VERB:POINT
	also []string // further points, to get there; with an exclamation mark all who come there are killed
	want []string // what the job may end as; nothing: done
}

// Of a job that is submitted and ends by itself.
var bothRun = []crash{
	{at: "jobman:commit"},
	{at: "jobman:committed"},
	{at: "jobman:rename-spec"},
	{at: "jobman:renamed-spec"},
	{at: "jobman:rename-env"},
	{at: "jobman:renamed-env"},
	{at: "jobman:rename-state"},
	{at: "jobman:renamed-state"},
	{at: "jobman:submitted"},
	{at: "jobman:start"},
	{at: "jobman:start-sent"},
	{at: "jobman:started"},
	{at: "exec:claim", want: []string{never}},
	{at: "exec:claimed", want: []string{died}},
	{at: "exec:rename-state", want: []string{died}},
	{at: "exec:renamed-state", want: []string{died}},
	{at: "exec:execve", want: []string{died}},
}

var systemdRun = []crash{
	{at: "jobman:start-watch"},
	{at: "ended:rename-exit"},
	{at: "ended:renamed-exit"},
	{at: "ended:dropped"},
	{at: "ended:claim", also: []string{"exec:claim"}, want: []string{never}},
	{at: "ended:claimed", also: []string{"exec:claim"}, want: []string{never}},
	{at: "step:commit"},
	{at: "step:committed"},
	{at: "step:rename-state"},
	{at: "step:renamed-state"},
	{at: "step:settled"},
	{at: "step:taken"},
	{at: "reconcile:stamped", also: []string{"ended:rename-exit", "step:failed"}},
	{at: "reconcile:commit", also: []string{"ended:rename-exit", "step:failed"}},
	{at: "reconcile:committed", also: []string{"ended:rename-exit", "step:failed"}},
	{at: "reconcile:renamed-state", also: []string{"ended:rename-exit", "step:failed"}},
	{at: "reconcile:settled", also: []string{"ended:rename-exit", "step:failed"}},
	{at: "reconcile:forget", also: []string{"ended:rename-exit", "step:failed"}},
	{at: "reconcile:unkept", also: []string{"ended:rename-exit", "step:failed"}},
}

var forkRun = []crash{
	{at: "shim:locked"},
	// What it started runs on: nobody sees the end of that.
	{at: "shim:supervising", want: []string{lost, done}},
	{at: "shim:over", want: []string{lost}},
	{at: "shim:rename-exit", want: []string{lost}},
	{at: "shim:renamed-exit"},
	{at: "shim:dropped"},
	{at: "shim:commit"},
	{at: "shim:committed"},
	{at: "shim:rename-state"},
	{at: "shim:renamed-state"},
	{at: "shim:settled"},
	{at: "shim:taken"},
	{at: "reconcile:stamped", also: []string{"shim:renamed-exit"}},
	{at: "reconcile:commit", also: []string{"shim:renamed-exit"}},
	{at: "reconcile:committed", also: []string{"shim:renamed-exit"}},
	{at: "reconcile:settled", also: []string{"shim:renamed-exit"}},
}

// Of a job that waits for a moment and a file.
var bothWait = []crash{
	{at: "jobman:commit"},
	{at: "jobman:committed"},
	{at: "jobman:renamed-env"},
	{at: "jobman:submitted"},
	{at: "jobman:arm"},
	{at: "jobman:armed"},
	{at: "step:decided"},
	{at: "step:commit"},
	{at: "step:committed"},
	{at: "step:intended"},
	{at: "step:renamed-state"},
	{at: "step:start"},
	{at: "step:start-sent"},
	{at: "step:started"},
	{at: "step:acted"},
	{at: "exec:claim", want: []string{never}},
}

var systemdWait = []crash{
	{at: "step:arm"},
	{at: "step:armed"},
	{at: "reconcile:arm", also: []string{"jobman:arm"}},
	{at: "reconcile:armed", also: []string{"jobman:arm"}},
}

// Of a job that sleeps until it is killed.
var bothKill = []crash{
	{at: "jobman:commit"},
	{at: "jobman:committed"},
	{at: "jobman:renamed-state"},
	{at: "jobman:kill-committed"},
	{at: "jobman:decided"},
	{at: "jobman:intended"},
	{at: "jobman:stop"},
	{at: "jobman:acted"},
}

var systemdKill = []crash{
	{at: "jobman:stop-signalled"},
	{at: "jobman:stopped"},
	{at: "ended:rename-exit"},
	{at: "ended:dropped"},
	{at: "step:commit"},
	{at: "step:committed"},
}

var forkKill = []crash{
	{at: "jobman:stop-asked"},
	{at: "shim:over", want: []string{killed, lost}},
	{at: "shim:rename-exit", want: []string{lost}},
	{at: "shim:renamed-exit"},
	{at: "shim:commit"},
}

func TestCrash(t *testing.T) {
	if settings.Here == "" {
		settings.Each(t, settings.Options{Tags: "failpoint", Run: os.Getenv("CRASH")})
		return
	}
	runs, kills, waits := append(bothRun, systemdRun...), append(bothKill, systemdKill...), append(bothWait, systemdWait...)
	if settings.Here == "fork" {
		runs, kills, waits = append(bothRun, forkRun...), append(bothKill, forkKill...), bothWait
	}
	crashCleaning(t)
	crashNotifying(t)
	for _, next := range []string{"step", "net"} {
		crashReaping(t, next)
		for _, c := range runs {
			t.Run("run,"+c.at+","+next, func(t *testing.T) {
				t.Parallel()
				for range attempts {
					h := newHouse(t)
					h.crash(c, "run", "--name", "victim", "--", "sh", "-c", "echo x >> starts; exit 7")
					if h.goOn(c, next) {
						h.judge(c, done)
						return
					}
				}
				t.Errorf("in %d attempts %s was not met", attempts, c.at)
			})
		}
		for _, c := range waits {
			t.Run("wait,"+c.at+","+next, func(t *testing.T) {
				t.Parallel()
				for attempt := range attempts {
					h := newHouse(t)
					// On a busy machine the moment must be later, or it comes before the job waits.
					at := time.Now().Add(500 * time.Millisecond << attempt).UTC().Format(time.RFC3339Nano)
					h.crash(c, "run", "--name", "victim", "--wait.datetime", at, "--wait.file", "gate/*/open", "--", "sh", "-c", "echo x >> starts; exit 7")
					if err := os.MkdirAll(filepath.Join(h.Dir, "gate", "a", "open"), 0o700); err != nil {
						t.Fatal(err)
					}
					if h.goOn(c, next) {
						h.judge(c, done)
						return
					}
				}
				t.Errorf("in %d attempts %s was not met", attempts, c.at)
			})
		}
		for _, c := range kills {
			t.Run("kill,"+c.at+","+next, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				h.acknowledged = strings.TrimSpace(h.Jobman("run", "-q", "--name", "victim", "--", "sh", "-c", "echo x >> starts; exec sleep 1000"))
				eventually(t, "the command runs", func() bool { return h.starts() == 1 })
				h.crash(c, "kill", "--no-wait", "victim") // it would do the others' work
				if c.at == "jobman:commit" {
					// Of a kill that was not committed nobody knows: it is said again.
					h.Jobman("kill", "-q", "victim")
				}
				if !h.goOn(c, next) {
					t.Errorf("%s was not met", c.at)
				}
				h.judge(c, killed)
			})
		}
	}
}

// house is a home whose store is looked into.
type house struct {
	*settings.Home
	tree         tree.Tree
	store        store.Store
	acknowledged string // the id that `run` printed
}

func newHouse(t *testing.T) *house {
	h := &house{Home: settings.NewHome(t)}
	h.tree = tree.Tree(h.Store())
	// A job before: the store is there, and what it needs.
	h.Jobman("run", "-q", "--name", "before", "true")
	h.Jobman("wait", "-q", "before")
	h.quiet()
	s, err := bolt.Open(string(h.tree), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.store = s
	if err := os.Mkdir(filepath.Join(string(h.tree), "failpoints"), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

// quiet waits until nothing looks at the inbox by chance.
func (h *house) quiet() {
	h.Helper()
	eventually(h.T, "no step is under way", func() bool {
		return exec.Command("pgrep", "-f", "jobman[^ ]* (step|shim) "+string(h.tree)).Run() != nil
	})
}

func (h *house) failpoint(at string) string {
	return filepath.Join(string(h.tree), "failpoints", at)
}

// crash arms the failpoints and runs a command, which may be what is killed.
func (h *house) crash(c crash, args ...string) {
	h.Helper()
	for _, at := range append([]string{c.at}, c.also...) {
		at, all := strings.CutSuffix(at, "!")
		var who []byte
		if all {
			who = []byte("all")
		}
		if err := os.WriteFile(h.failpoint(at), who, 0o600); err != nil {
			h.Fatal(err)
		}
	}
	out, err := h.Command(args...).Output()
	var exit *exec.ExitError
	wasKilled := false
	if errors.As(err, &exit) {
		status, ok := exit.Sys().(syscall.WaitStatus)
		wasKilled = ok && status.Signal() == syscall.SIGKILL
	}
	// A shim that dies before it is ready has refused the job.
	refused := exit != nil && exit.ExitCode() == 6 && strings.HasPrefix(c.at, "shim:")
	if err != nil && !wasKilled && !refused {
		h.Fatalf("jobman %q: %v\n%s", args, err, exit.Stderr)
	}
	if args[0] == "run" {
		h.acknowledged = strings.TrimSpace(string(out))
		if h.acknowledged != "" && !job.IsID(h.acknowledged) {
			h.Fatalf("run printed %q", h.acknowledged)
		}
	}
}

// victim reads the job from the index, and nothing else: looking at it through
// jobman would mend it.
func (h *house) victim() *job.Job {
	h.Helper()
	jobs, err := h.store.Query(context.Background(), store.Filter{Name: "victim", Runs: -1})
	if err != nil {
		h.Fatal(err)
	}
	if len(jobs) > 1 {
		h.Fatalf("%d jobs instead of one", len(jobs))
	}
	if len(jobs) == 0 {
		return nil
	}
	return jobs[0]
}

// attempts is how often a case is tried in which somebody else may be faster than who
// is to be killed: a step, which systemd starts when there is mail, than the safety
// net, or the moment that a job waits for than its arming.
const attempts = 5

// goOn has nothing come along but steps of the job, or but the safety net, until
// the job is over. It returns whether the point was met.
func (h *house) goOn(c crash, next string) bool {
	h.Helper()
	ofNet := strings.HasPrefix(c.at, "reconcile:")
	if !ofNet {
		over := false
		eventually(h.T, "the crash comes", func() bool {
			j := h.victim()
			over = j != nil && j.Completed()
			return over || h.hit(c.at)
		})
		if over && !h.hit(c.at) {
			return false
		}
	}
	eventually(h.T, "the job ends", func() bool {
		j := h.victim()
		args := []string{"reconcile", string(h.tree)}
		if next == "step" && !ofNet {
			args = []string{"step", string(h.tree)}
			if j != nil {
				args = append(args, string(j.ID))
			}
		}
		// It may be the one that is to be killed.
		if out, err := h.Command(args...).CombinedOutput(); err != nil && !h.hit(c.at) {
			h.Fatalf("jobman %q: %v\n%s", args, err, out)
		}
		return (h.hit(c.at) || ofNet) && (j == nil || j.Completed())
	})
	if !h.hit(c.at) && c.at != "reconcile:unkept" {
		return false
	}
	eventually(h.T, "the net finds nothing to do", func() bool {
		h.reconcile(c)
		return h.hit(c.at)
	})
	return true
}

// reconcile has the net come along; it may be the one that is to be killed.
func (h *house) reconcile(c crash) {
	h.Helper()
	if out, err := h.Command("reconcile", string(h.tree)).CombinedOutput(); err != nil && !h.hit(c.at) {
		h.Fatalf("jobman reconcile: %v\n%s", err, out)
	}
}

// hit tells whether a point was met.
func (h *house) hit(at string) bool {
	_, err := os.Lstat(h.failpoint(at))
	return errors.Is(err, fs.ErrNotExist)
}

func (h *house) starts() int {
	b, err := os.ReadFile(filepath.Join(h.Dir, "starts"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.Fatal(err)
	}
	return strings.Count(string(b), "x\n")
}

// judge holds what became of the job against the promises.
func (h *house) judge(c crash, usual string) {
	h.Helper()
	j := h.victim()
	if j == nil {
		if h.acknowledged != "" {
			h.Errorf("job %s was acknowledged and is gone", h.acknowledged)
		}
		if n := h.starts(); n != 0 {
			h.Errorf("there is no job, and it was executed %d times", n)
		}
		return
	}
	if h.acknowledged != "" && h.acknowledged != string(j.ID) {
		h.Errorf("job %s was acknowledged, and there is %s", h.acknowledged, j.ID)
	}
	if len(j.Runs) != 1 {
		h.Fatalf("%d runs instead of one", len(j.Runs))
	}
	want := c.want
	if want == nil {
		want = []string{usual}
	}
	got, executed := ending(&j.Runs[0])
	ok := false
	for _, w := range want {
		ok = ok || w == got
	}
	if !ok {
		h.Errorf("it ended as %q (%s), want one of %q", got, j.Message, want)
	}
	if n := h.starts(); executed >= 0 && n != executed || n > 1 {
		h.Errorf("it was executed %d times and ended as %q", n, got)
	}
	h.tidy(j)
}

// ending says in a word how a run ended, and how often its command was executed
// then; -1: nobody can know.
func ending(r *job.Run) (string, int) {
	switch {
	case r.Result == job.Killed:
		return killed, 1
	case r.Reason == job.ReasonStartFailed:
		return never, 0
	case r.Reason == job.ReasonLost:
		return lost, -1
	case r.Signal == "KILL":
		return died, 0
	case r.ExitCode != nil && *r.ExitCode == 7:
		return done, 1
	}
	return string(r.Reason), -1
}

// tidy waits until nothing is left of the job but its record.
func (h *house) tidy(j *job.Job) {
	h.Helper()
	eventually(h.T, "the inbox is empty", func() bool {
		h.Jobman("step", string(h.tree))
		mail, err := h.tree.Mail()
		return err == nil && len(mail) == 0
	})
	state, err := os.ReadFile(filepath.Join(h.tree.Job(j.ID), "state"))
	if err != nil {
		h.Fatal(err)
	}
	if !strings.HasPrefix(string(state), `{"status":"completed"`) {
		h.Errorf("the job is over, and its file says %s", state)
	}
	if settings.Here == "fork" {
		return
	}
	eventually(h.T, "its units are gone", func() bool {
		// What failed is forgotten by the net at the latest.
		h.Jobman("reconcile", string(h.tree))
		args := []string{"list-units", "--all", "--plain", "--no-legend", "jobman-*" + string(j.ID) + "*"}
		if settings.Here == "user" {
			args = append([]string{"--user"}, args...)
		}
		out, err := exec.Command("systemctl", args...).CombinedOutput()
		if err != nil {
			h.Fatalf("systemctl: %v\n%s", err, out)
		}
		return len(out) == 0
	})
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
