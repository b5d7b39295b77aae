//go:build unix

package supervisor

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobman/job"
	"jobman/journal"
)

func TestTheEndOfACommandIsRecorded(t *testing.T) {
	b := newBench(t)
	for script, want := range map[string]string{
		"exit 0":         "0",
		"exit 7":         "7",
		"exit 255":       "255",
		"kill -TERM $$":  "SIGTERM",
		"kill -KILL $$":  "SIGKILL",
		"kill -USR1 $$":  "SIGUSR1",
		"exec no-such":   "127",
		"sleep 0 & wait": "0",
	} {
		t.Run(script, func(t *testing.T) {
			before := time.Now()
			r := (&bench{b.Supervisor, t}).started(script)
			exit := r.exited(want)
			claim := r.claim()
			if exit.InvocationID != claim.InvocationID || len(claim.InvocationID) != 32 {
				t.Errorf("the end is of the execution %q, the claim of %q", exit.InvocationID, claim.InvocationID)
			}
			if exit.At.Before(before) || exit.At.Before(claim.At) || exit.At.After(time.Now()) || exit.At.Location() != time.UTC {
				t.Errorf("ended at %v, claimed at %v", exit.At, claim.At)
			}
			mail, err := b.store.Mail()
			if err != nil || len(mail) == 0 {
				t.Errorf("the inbox holds %v, %v", mail, err)
			}
			if !contains(r.File("stepped"), string(r.job.ID)) {
				t.Error("step wasn't called")
			}
			if said := r.complaints(); said != "" {
				t.Errorf("the shim said: %s", said)
			}
		})
	}
}

func TestWhatARunUsedIsRecorded(t *testing.T) {
	exit := newBench(t).started(`i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done`).exited("0")
	if exit.CPUSeconds == nil || *exit.CPUSeconds < 0.03 || *exit.CPUSeconds > 60 {
		t.Errorf("CPU %v s", exit.CPUSeconds)
	}
	if exit.MemoryPeak == nil || *exit.MemoryPeak < 100<<10 || *exit.MemoryPeak > 1<<30 {
		t.Errorf("memory %v bytes", exit.MemoryPeak)
	}
}

func TestAllOutputIsKept(t *testing.T) {
	r := newBench(t).started(`
		{ trap 'echo farewell >&2; exit' TERM; echo > $RUN/set; while :; do sleep 0.01; done; } &
		seq 1 200000
		sh -c 'echo child >&2; sh -c "echo grandchild >&2"'
		until [ -e $RUN/set ]; do sleep 0.01; done
		printf 'no newline'; exit 3`)
	r.exited("3")
	var want strings.Builder
	for i := range 200000 {
		want.WriteString(strconv.Itoa(i+1) + "\n")
	}
	want.WriteString("no newline")
	if got := r.printed(journal.Stdout); got != want.String() {
		t.Errorf("stdout has %d bytes, want %d; its end is %q", len(got), want.Len(), got[max(0, len(got)-50):])
	}
	// Some shells say what became of the sleep that got the signal too.
	said := strings.ReplaceAll(r.printed(journal.Stderr), "Terminated\n", "")
	if got, want := said, "child\ngrandchild\nfarewell\n"; got != want {
		t.Errorf("stderr is %q, want %q", got, want)
	}
	r.alone()
}

func TestOutputThatIsNotWantedIsDiscarded(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		log  job.Log
		want string
	}{{job.Log{Stdout: true}, "out\n"}, {job.Log{Stderr: true}, "err\n"}, {job.Log{}, ""}} {
		r := b.started("echo out; echo err >&2; exit 4", func(s *job.Spec) { s.Log = c.log })
		r.exited("4")
		if got := r.printed(); got != c.want {
			t.Errorf("with %+v it kept %q, want %q", c.log, got, c.want)
		}
	}
}

func TestARunWhoseOutputCanNotBeKeptGoesOn(t *testing.T) {
	r := newBench(t).add("seq 1 100000; exit 5")
	r.touch("logs") // no directory
	r.start()
	r.exited("5")
	if !strings.Contains(r.complaints(), "keep the output") {
		t.Errorf("the shim said: %q", r.complaints())
	}
}

// What the backend owes a command, beside what exec gives it.
func TestWhatACommandFinds(t *testing.T) {
	r := newBench(t).started(`
		[ -z "$(cat)" ] && echo empty stdin
		[ -t 0 ] || echo no terminal
		[ "$(ps -o sid= -p $$ | tr -d ' ')" = $$ ] && echo own session
		echo $INVOCATION_ID`)
	r.exited("0")
	if got, want := r.printed(), "empty stdin\nno terminal\nown session\n"+r.claim().InvocationID+"\n"; got != want {
		t.Errorf("it found %q, want %q", got, want)
	}
}

func TestARunIsExecutedOnceHoweverOftenItIsStarted(t *testing.T) {
	r := newBench(t).add("echo executed; until [ -e $RUN/go ]; do sleep 0.01; done")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := r.Start(context.Background(), r.job); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	r.prints("executed")
	r.start()
	r.touch("go")
	r.exited("0")
	r.start() // it has ended
	eventually(t, "the last shim ends", func() bool { return !r.live() })
	if got := r.printed(); got != "executed\n" {
		t.Errorf("it printed %q", got)
	}
}

func TestAVoidRunIsNotExecuted(t *testing.T) {
	r := newBench(t).add("echo executed")
	if err := r.Claim(job.Claim{At: time.Now(), Void: "the test says so"}); err != nil {
		t.Fatal(err)
	}
	r.start()
	eventually(t, "the shim ends", func() bool { return !r.live() })
	if exit, err := r.ReadExit(); exit != nil || err != nil || r.printed() != "" {
		t.Errorf("exit record %+v, %v; printed %q", exit, err, r.printed())
	}
}

// A run can be made void between its shim's look and exec.
func TestACommandThatWasNotExecutedHasNoEndOfItsOwn(t *testing.T) {
	r := newBench(t).add("echo executed")
	r.touch("hold")
	r.start()
	if !r.live() {
		t.Error("Start returned, and the run isn't seen")
	}
	if err := r.Claim(job.Claim{At: time.Now(), Void: "the test says so"}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(r.File("hold")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shim ends", func() bool { return !r.live() })
	if exit, err := r.ReadExit(); exit != nil || err != nil {
		t.Errorf("exit record %+v, %v", exit, err)
	}
}

func TestWhyExecFailedIsRecorded(t *testing.T) {
	r := newBench(t).started("true", func(s *job.Spec) { s.Chdir = "/no/such/directory" })
	exit := r.over()
	claim := r.claim()
	if claim.Executed() || claim.InvocationID != exit.InvocationID || !strings.Contains(exit.StartError, "/no/such/directory") {
		t.Errorf("claim %+v, exit %+v", claim, exit)
	}
}

func TestAShimThatCanNotStartSaysWhy(t *testing.T) {
	b := newBench(t)
	fails := func(s *Supervisor, r *run, want string) {
		t.Helper()
		err := s.Start(context.Background(), r.job)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if r.live() {
			t.Error("the run is live")
		}
	}
	r := b.add("true")
	fails(New(b.store, at("/no/such/jobman")), r, "no such file")
	fails(New(b.store, at("/bin/false")), r, "jobman.log")
	if err := os.Remove(filepath.Join(r.Job(), "spec")); err != nil {
		t.Fatal(err)
	}
	fails(b.Supervisor, r, "spec")
	if err := os.RemoveAll(string(r.Run)); err != nil {
		t.Fatal(err)
	}
	fails(b.Supervisor, r, "no such file")
}

func TestAStartDoesNotOutliveItsContext(t *testing.T) {
	r := newBench(t).add("true")
	never := filepath.Join(t.TempDir(), "never-ready")
	if err := os.WriteFile(never, []byte("#!/bin/sh\necho $$ > "+r.File("pid")+"\nexec sleep 1000"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		for range 2000 {
			if contains(r.File("pid"), "\n") {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	err := New(r.store, at(never)).Start(ctx, r.job)
	if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("got %v", err)
	}
	b, err := os.ReadFile(r.File("pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func TestRunsThatAreNotThereAreAbsent(t *testing.T) {
	b := newBench(t)
	never := b.add("true")
	gone := job.Ref{ID: job.NewID(), Run: 3}
	seen, err := b.Observe(context.Background(), []job.Ref{never.job.Ref(), gone})
	if err != nil || len(seen) != 2 || seen[gone].State != job.UnitAbsent || seen[never.job.Ref()].State != job.UnitAbsent {
		t.Errorf("got %v, %v", seen, err)
	}
	for _, ref := range []job.Ref{never.job.Ref(), gone} {
		if err := b.Signal(context.Background(), ref, "TERM"); !errors.Is(err, job.ErrNotRunning) {
			t.Errorf("signal: %v", err)
		}
	}
	if err := b.Stop(context.Background(), gone, job.StopRequest{}); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestALiveRunIsSeenWithItsPID(t *testing.T) {
	r := newBench(t).started("until [ -e $RUN/go ]; do sleep 0.01; done")
	claim := r.claim()
	if u := r.observe(); u.State != job.UnitLive || u.PID != claim.PID {
		t.Errorf("got %+v, claim %+v", u, claim)
	}
	r.touch("go")
	r.exited("0")
}

// What the caller of jobman has open must not stay open for as long as the run.
func TestARunHoldsNothingOpenOfItsStarter(t *testing.T) {
	r := newBench(t).add("until [ -e $RUN/go ]; do sleep 0.01; done")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	// Not close-on-exec.
	leak, err := syscall.Dup(int(writer.Fd()))
	writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	r.start()
	if err := syscall.Close(leak); err != nil {
		t.Fatal(err)
	}
	if err := reader.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(reader); err != nil {
		t.Errorf("the starter's pipe is open in the run: %v", err)
	}
	if !r.live() {
		t.Error("the run isn't live")
	}
	r.touch("go")
	r.exited("0")
}

func TestTheManagerIsTheSameUntilTheNextBoot(t *testing.T) {
	b := newBench(t)
	first, err := b.Manager(context.Background())
	if err != nil || first == "" {
		t.Fatalf("got %q, %v", first, err)
	}
	if again, err := New(b.store, b.exe).Manager(context.Background()); err != nil || again != first {
		t.Errorf("got %q, then %q, %v", first, again, err)
	}
}
