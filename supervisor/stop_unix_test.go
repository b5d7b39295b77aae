//go:build unix

package supervisor

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobman/job"
	"jobman/journal"
)

func TestAStopEndsTheWholeTree(t *testing.T) {
	r := newBench(t).started("sh -c 'sleep 1000 & sleep 1000' & sleep 1000 & echo up; wait")
	r.prints("up")
	r.stop("TERM", patience)
	r.exited("SIGTERM asked for")
	r.alone()
}

func TestWhatIgnoresTheStopSignalIsKilledAfterTheGrace(t *testing.T) {
	r := newBench(t).started("trap '' TERM; sh -c 'while :; do sleep 0.01; done' & echo up; while :; do sleep 0.01; done")
	r.prints("up")
	const pause = 300 * time.Millisecond
	asked := time.Now()
	r.stop("TERM", pause)
	if exit := r.exited("SIGKILL asked for"); exit.At.Sub(asked) < pause {
		t.Errorf("it was killed %v after the stop", exit.At.Sub(asked))
	}
	r.alone()
}

func TestACommandMayEndWellWithinTheGrace(t *testing.T) {
	r := newBench(t).started("trap 'echo bye; exit 9' INT; echo up; while :; do sleep 0.01; done")
	r.prints("up")
	r.stop("INT", patience)
	r.exited("9 asked for")
	if !strings.HasSuffix(r.printed(), "bye\n") {
		t.Errorf("it printed %q", r.printed())
	}
}

func TestWithoutAGraceItIsKilledAtOnce(t *testing.T) {
	for _, how := range []job.StopRequest{{Signal: "TERM"}, {Signal: "KILL", Grace: patience}} {
		r := newBench(t).started("trap 'exit 0' TERM; sleep 1000 & echo up; while :; do sleep 0.01; done")
		r.prints("up")
		if err := r.Stop(context.Background(), r.job.Ref(), how); err != nil {
			t.Fatal(err)
		}
		r.exited("SIGKILL asked for")
		r.alone()
	}
}

func TestASecondStopCanOnlyBringTheEndForward(t *testing.T) {
	r := newBench(t).started("trap 'echo got TERM' TERM; trap 'echo got USR1' USR1; echo up; while :; do sleep 0.01; done")
	r.prints("up")
	r.stop("TERM", time.Hour)
	r.prints("got TERM")
	// The same again is not sent again; another signal is. There is nothing to
	// wait for when a request is without effect, so this one is given a moment.
	r.stop("TERM", time.Hour)
	if err := r.Signal(context.Background(), r.job.Ref(), "USR1"); err != nil {
		t.Fatal(err)
	}
	r.prints("got USR1")
	r.stop("TERM", 0)
	r.stop("TERM", time.Hour)
	r.exited("SIGKILL asked for")
	if n := strings.Count(r.printed(), "got TERM"); n != 1 {
		t.Errorf("TERM came %d times", n)
	}
}

func TestWhatIsSuspendedIsStoppedToo(t *testing.T) {
	r := newBench(t).started("trap 'echo bye; exit 6' TERM; kill -STOP $$; echo not reached; exit 1")
	pid := r.claim().PID
	eventually(t, "the command is suspended", func() bool { return suspended(t, pid) })
	r.stop("TERM", patience)
	r.exited("6 asked for")
}

func TestARunThatIsStoppedBeforeItsStartIsNotExecuted(t *testing.T) {
	r := newBench(t).add("echo executed")
	r.stop("TERM", patience)
	r.start()
	exit := r.over()
	if claim := r.claim(); claim.Executed() || claim.InvocationID != exit.InvocationID || !exit.StopQueued || exit.Code != nil || exit.Signal != "" {
		t.Errorf("claim %+v, exit %+v", claim, exit)
	}
	if r.printed() != "" || !contains(r.File("stepped"), string(r.job.ID)) {
		t.Errorf("it printed %q", r.printed())
	}
}

func TestARunThatIsStoppedBeforeItIsExecutedIsNotExecuted(t *testing.T) {
	r := newBench(t).add("echo executed")
	r.touch("hold")
	r.start()
	r.stop("TERM", patience)
	exit := r.over()
	if claim := r.claim(); claim.Executed() || claim.InvocationID != exit.InvocationID || !exit.StopQueued || exit.Signal != "TERM" {
		t.Errorf("claim %+v, exit %+v", claim, exit)
	}
}

func TestAStopOfWhatIsOverChangesNothing(t *testing.T) {
	r := newBench(t).started("exit 2")
	exit := *r.exited("2")
	r.stop("KILL", 0)
	if again := r.exited("2"); *again.Code != *exit.Code || !again.At.Equal(exit.At) {
		t.Errorf("the record was %+v and is %+v", exit, again)
	}
	if contains(r.File(killName), "{") {
		t.Error("the request was left lying")
	}
}

// What a command leaves behind ends with it, as under systemd.
func TestWhatIsLeftBehindGetsTheStopSignalThenSIGKILL(t *testing.T) {
	b := newBench(t)
	r := b.started(`sh -c 'trap "echo told; exit" TERM; echo > $RUN/set; while :; do sleep 0.01; done' &
		until [ -e $RUN/set ]; do sleep 0.01; done; exit 0`)
	r.exited("0")
	if got := r.printed(journal.Stdout); got != "told\n" {
		t.Errorf("it printed %q", got)
	}
	r.alone()

	const pause = 200 * time.Millisecond
	r = b.started(`sh -c 'trap "" TERM; echo > $RUN/set; while :; do sleep 0.01; done' &
		until [ -e $RUN/set ]; do sleep 0.01; done; exit 0`, grace(pause))
	exit := r.exited("0")
	if took := time.Since(exit.At); took < pause {
		t.Errorf("the rest was killed after %v", took)
	}
	r.alone()
}

func TestASignalReachesTheCommandAndNothingElse(t *testing.T) {
	r := newBench(t).started(`
		sh -c 'trap "echo child" USR1; echo > $RUN/set; while :; do sleep 0.01; done' &
		trap 'echo main' USR1; until [ -e $RUN/set ]; do sleep 0.01; done; echo up
		until [ -e $RUN/go ]; do sleep 0.01; done`)
	r.prints("up")
	if err := r.Signal(context.Background(), r.job.Ref(), "USR1"); err != nil {
		t.Fatal(err)
	}
	r.prints("main")
	if err := r.Signal(context.Background(), r.job.Ref(), "NOSUCH"); err == nil || errors.Is(err, job.ErrNotRunning) {
		t.Errorf("a signal that there isn't: %v", err)
	}
	r.touch("go")
	r.exited("0")
	if strings.Contains(r.printed(), "child") {
		t.Errorf("it printed %q", r.printed())
	}
	if err := r.Signal(context.Background(), r.job.Ref(), "USR1"); !errors.Is(err, job.ErrNotRunning) {
		t.Errorf("a signal to a run that is over: %v", err)
	}
}

// Neither a terminal that closes nor the stop signal of its job ends a shim.
func TestAShimIsDeafToWhatEndsPrograms(t *testing.T) {
	r := newBench(t).started("echo up; until [ -e $RUN/go ]; do sleep 0.01; done; exit 8")
	r.prints("up")
	shim, held, err := holder(r.Run)
	if err != nil || !held || shim == 0 {
		t.Fatalf("the shim is %d, %v", shim, err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGUSR2} {
		if err := syscall.Kill(shim, sig); err != nil {
			t.Fatal(err)
		}
	}
	r.touch("go")
	r.exited("8")
}

// The command goes on, but how it ends nobody will know: with the claim there and
// the unit absent, the run is lost.
func TestAShimThatIsKilledLeavesAClaimAndNoRun(t *testing.T) {
	r := newBench(t).started("echo up; exec sleep 1000")
	r.prints("up")
	shim, _, err := holder(r.Run)
	if err != nil || shim == 0 {
		t.Fatalf("the shim is %d, %v", shim, err)
	}
	if err := syscall.Kill(shim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the run is absent", func() bool { return r.observe().State == job.UnitAbsent })
	claim := r.claim()
	if exit, err := r.ReadExit(); exit != nil || err != nil || !claim.Executed() {
		t.Errorf("claim %+v, exit %+v, %v", claim, exit, err)
	}
	if err := r.Signal(context.Background(), r.job.Ref(), "TERM"); !errors.Is(err, job.ErrNotRunning) {
		t.Errorf("signal: %v", err)
	}
	r.start() // it is not executed again
	eventually(t, "the second shim ends", func() bool { return !r.live() })
	if left := marked(t, string(r.Run)); len(left) != 1 || left[0] != claim.PID {
		t.Errorf("%v run, want %d", left, claim.PID)
	}
	if err := syscall.Kill(claim.PID, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	eventually(t, "the command is gone", func() bool { return len(marked(t, string(r.Run))) == 0 })
}
