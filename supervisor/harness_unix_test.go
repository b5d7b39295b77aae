//go:build unix

package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobman/events"
	"jobman/job"
	"jobman/journal"
	"jobman/store/tree"
)

// The test binary is the jobman of these tests: it is the real shim, a stand-in
// for `jobman exec`, and one for `jobman run` within a job.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && filepath.IsAbs(os.Args[2]) {
		verb := map[string]func(tree.Run) error{"shim": shimVerb, "exec": execVerb, "start": startVerb}[os.Args[1]]
		if verb != nil {
			if err := verb(tree.Run(os.Args[2])); err != nil {
				fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// shimVerb notes when step was called.
func shimVerb(run tree.Run) error {
	return Shim(string(run), 0, job.SinkFile, func(ref job.Ref) error {
		return tree.WriteFile(run.File("stepped"), fmt.Append(nil, ref.ID, ref.Run))
	})
}

// marker is the environment variable by which what a run left behind is found.
const marker = "SUPERVISOR_TEST_RUN"

// execVerb claims the run and becomes the command. Where there is a file `hold` in
// the run's directory, it waits for that to go first.
func execVerb(run tree.Run) error {
	for {
		if _, err := os.Lstat(run.File("hold")); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	spec, err := run.Spec()
	if err != nil {
		return err
	}
	if err := os.Chdir(string(spec.Chdir)); err != nil {
		return errors.Join(err, run.WriteStartError(err.Error()))
	}
	claim := job.Claim{PID: os.Getpid(), InvocationID: os.Getenv("INVOCATION_ID"), At: time.Now().UTC()}
	if err := run.Claim(claim); err != nil {
		return err
	}
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin", marker + "=" + string(run), "INVOCATION_ID=" + claim.InvocationID}
	return syscall.Exec(string(spec.Command[0]), job.Strings(spec.Command), env)
}

// startVerb starts a run and ends.
func startVerb(run tree.Run) error {
	store, ref, err := run.Locate()
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return New(store, at(exe)).Start(context.Background(), &job.Job{ID: ref.ID, Runs: []job.Run{{N: ref.Run}}})
}

// patience bounds the wait for anything that must happen.
const patience = 20 * time.Second

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// bench is a store and its backend.
type bench struct {
	*Supervisor
	t *testing.T
}

func newBench(t *testing.T) *bench {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	store := tree.Tree(t.TempDir())
	if err := store.Create(); err != nil {
		t.Fatal(err)
	}
	return &bench{New(store, at(exe)), t}
}

// run is a run of a test.
type run struct {
	tree.Run
	*bench
	job *job.Job
}

// add makes a run of a shell script, in which $EXE is this program and $RUN the
// run's directory.
func (b *bench) add(script string, change ...func(*job.Spec)) *run {
	b.t.Helper()
	exe, err := b.exe()
	if err != nil {
		b.t.Fatal(err)
	}
	j := &job.Job{ID: job.NewID(), Phase: job.Starting, RunCount: 1, Runs: []job.Run{{N: 1, Phase: job.Starting}}}
	script = strings.NewReplacer("$EXE", exe, "$RUN", string(b.store.Run(j.Ref()))).Replace(script)
	j.Spec = job.Spec{
		Command: job.Texts([]string{"/bin/sh", "-c", script}), Chdir: "/",
		StopSignal: "TERM", StopGrace: job.Duration(patience),
		Log: job.Log{Stdout: true, Stderr: true},
	}
	for _, c := range change {
		c(&j.Spec)
	}
	if err := b.store.WriteJob(j.ID, &j.Spec, nil); err != nil {
		b.t.Fatal(err)
	}
	if err := b.store.WriteState(j); err != nil {
		b.t.Fatal(err)
	}
	r := &run{b.store.Run(j.Ref()), b, j}
	b.t.Cleanup(r.leaveNothing)
	return r
}

// started adds a run and starts it.
func (b *bench) started(script string, change ...func(*job.Spec)) *run {
	b.t.Helper()
	r := b.add(script, change...)
	r.start()
	return r
}

func (r *run) start() {
	r.t.Helper()
	if err := r.Start(context.Background(), r.job); err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) stop(sig job.Signal, grace time.Duration) {
	r.t.Helper()
	if err := r.Stop(context.Background(), r.job.Ref(), job.StopRequest{Signal: sig, Grace: grace}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) observe() job.Unit {
	r.t.Helper()
	seen, err := r.Observe(context.Background(), []job.Ref{r.job.Ref()})
	if err != nil {
		r.t.Fatal(err)
	}
	return seen[r.job.Ref()]
}

func (r *run) live() bool { return r.observe().State == job.UnitLive }

// claim waits for the command to be executed.
func (r *run) claim() *job.Claim {
	r.t.Helper()
	var c *job.Claim
	eventually(r.t, "the claim is made", func() (done bool) {
		var err error
		if c, err = r.ReadClaim(); err != nil {
			r.t.Fatal(err)
		}
		return c != nil
	})
	return c
}

// over waits for the shim to be gone and returns the record of the end.
func (r *run) over() *job.Exit {
	r.t.Helper()
	eventually(r.t, "the shim ends", func() bool { return !r.live() })
	exit, err := r.ReadExit()
	if err != nil || exit == nil {
		r.t.Fatalf("there is no exit record (%v); the shim said: %s", err, r.complaints())
	}
	return exit
}

// complaints are what the shim says went wrong.
func (r *run) complaints() string {
	all, err := r.Log().Read()
	if err != nil {
		return err.Error()
	}
	var said strings.Builder
	for _, e := range all {
		if e.Level > events.Info || e.Text != "" {
			fmt.Fprintln(&said, e.Text, e.What, e.Fields)
		}
	}
	return said.String()
}

// printed returns what was kept of the output so far.
func (r *run) printed(streams ...journal.Stream) string {
	r.t.Helper()
	var b []byte
	opt := journal.ReadOptions{Tail: journal.All, Streams: journal.StreamSet(streams...)}
	err := journal.Read(context.Background(), r.Logs(), opt, func(l journal.Line) error {
		b = journal.AppendRaw(b, l)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

func (r *run) prints(text string) {
	r.t.Helper()
	eventually(r.t, "the command prints "+text, func() bool { return strings.Contains(r.printed(), text) })
}

// exited checks the record of an end.
func (r *run) exited(want string) *job.Exit {
	r.t.Helper()
	exit := r.over()
	got := "SIG" + string(exit.Signal)
	if exit.Code != nil {
		got = fmt.Sprint(*exit.Code)
	}
	if exit.StopQueued {
		got += " asked for"
	}
	if got != want {
		r.t.Fatalf("it ended with %s, want %s; %+v; the shim said: %s", got, want, exit, r.complaints())
	}
	return exit
}

// alone checks that nothing of the run is alive.
func (r *run) alone() {
	r.t.Helper()
	if left := marked(r.t, string(r.Run)); len(left) > 0 {
		r.t.Fatalf("%v are left of the run", left)
	}
}

// leaveNothing ends what a test that failed has left.
func (r *run) leaveNothing() {
	if r.live() {
		r.stop("KILL", 0)
		eventually(r.t, "a run can be killed", func() bool { return !r.live() })
	}
	if r.t.Failed() {
		r.t.Logf("the shim of %s said: %s", r.job.ID, r.complaints())
	}
	for _, pid := range marked(r.t, string(r.Run)) {
		r.t.Errorf("process %d is left of the run", pid)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			r.t.Error(err)
		}
	}
}

func grace(d time.Duration) func(*job.Spec) {
	return func(s *job.Spec) { s.StopGrace = job.Duration(d) }
}

// touch makes a file that a script waits for, or that holds up exec.
func (r *run) touch(name string) {
	r.t.Helper()
	if err := os.WriteFile(r.File(name), nil, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func contains(name, text string) bool {
	b, err := os.ReadFile(name)
	return err == nil && bytes.Contains(b, []byte(text))
}

// at is where a jobman is.
func at(exe string) func() (string, error) { return func() (string, error) { return exe, nil } }
