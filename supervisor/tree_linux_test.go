package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobman/job"
)

func TestNothingEscapesByASessionOfItsOwn(t *testing.T) {
	b := newBench(t)
	r := b.started("setsid sleep 1000 & exit 0")
	r.exited("0")
	r.alone()

	r = b.started("setsid -f sh -c 'setsid -f sleep 1000'; setsid -f sleep 1000; echo up; sleep 1000")
	r.prints("up")
	r.stop("TERM", patience)
	r.exited("SIGTERM asked for")
	r.alone()
}

// Each generation of this lives for a fraction of a millisecond, so a signal to
// what was seen comes too late nearly always.
func TestNothingEscapesByForking(t *testing.T) {
	b := newBench(t)
	for _, script := range []string{
		"f() { f & }; echo up; f; sleep 1000",
		"trap '' TERM; f() { f & }; echo up; f; exit 0",
	} {
		r := b.started(script, grace(50*time.Millisecond))
		r.prints("up")
		if !strings.Contains(script, "exit 0") {
			r.stop("TERM", 50*time.Millisecond)
		}
		r.over()
		r.alone()
	}
}

func TestAThousandProcessesAreEnded(t *testing.T) {
	r := newBench(t).started("i=0; while [ $i -lt 500 ]; do sleep 1000 & i=$((i+1)); done; echo up; wait")
	r.prints("up")
	r.stop("TERM", patience)
	r.exited("SIGTERM asked for")
	r.alone()
}

// A job that a command submits is a job of its own.
func TestARunThatACommandStartsIsNotOfItsTree(t *testing.T) {
	b := newBench(t)
	inner := b.add("echo up; until [ -e $RUN/go ]; do sleep 0.01; done; exit 11")
	outer := b.started("$EXE start " + string(inner.Run) + " && exit 3")
	outer.exited("3")
	inner.prints("up")
	if !inner.live() {
		t.Error("the inner run ended with the outer")
	}

	second := b.add("echo up; until [ -e $RUN/go ]; do sleep 0.01; done; exit 12")
	outer = b.started("$EXE start " + string(second.Run) + " && echo up && sleep 1000")
	outer.prints("up")
	second.prints("up")
	outer.stop("KILL", 0)
	outer.exited("SIGKILL asked for")
	for r, want := range map[*run]string{inner: "11", second: "12"} {
		if !r.live() {
			t.Error("the inner run ended with the outer")
		}
		r.touch("go")
		r.exited(want)
	}
}

func TestWhatAnotherReapedAndWhatNobodyWaitedForIsCounted(t *testing.T) {
	const burn = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo > $RUN/done"
	for _, script := range []string{
		"sh -c '" + burn + "'; exit 0",
		"setsid -f sh -c '" + burn + "'; until [ -e $RUN/done ]; do sleep 0.01; done",
	} {
		exit := newBench(t).started(script).exited("0")
		if exit.CPUSeconds == nil || *exit.CPUSeconds < 0.03 {
			t.Errorf("%s: CPU %v s", script, *exit.CPUSeconds)
		}
	}
}

// What the shim catches must not be ignored in the command, and a write to a full
// pipe must wait. 32 and 33 are the C library's own, and its posix_spawn(3) leaves
// them ignored.
func TestACommandFindsNoSignalIgnoredAndBlockingOutput(t *testing.T) {
	r := newBench(t).started("grep SigIgn /proc/$$/status; grep flags /proc/$$/fdinfo/1; ls /proc/$$/fd")
	r.exited("0")
	want := regexp.MustCompile(`^SigIgn: 0000000[01][08]0000000 flags: 01 0 1 2$`)
	if got := strings.Join(strings.Fields(r.printed()), " "); !want.MatchString(got) {
		t.Errorf("got %q, want %s", got, want)
	}
}

func TestAShimMakesItselfSmall(t *testing.T) {
	r := newBench(t).started("echo up; until [ -e $RUN/go ]; do sleep 0.01; done; seq 1 50000")
	r.prints("up")
	shim, _, err := holder(r.Run)
	if err != nil {
		t.Fatal(err)
	}
	before := resident(t, shim)
	eventually(t, "the shim gives memory back", func() bool { return resident(t, shim) < before-512 })
	t.Logf("%d KiB, then %d KiB", before, resident(t, shim))
	r.touch("go")
	r.exited("0") // it works all the same
	if n := strings.Count(r.printed(), "\n"); n != 50001 {
		t.Errorf("%d lines were kept", n)
	}
}

// resident returns the resident size of a process in KiB.
func resident(t *testing.T, pid int) (kib int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

// A pid that is not the shim's child is not the command's, whatever the claim says.
func TestASignalIsNotSentToAStranger(t *testing.T) {
	r := newBench(t).add("until [ -e $RUN/go ]; do sleep 0.01; done")
	r.touch("hold")
	r.start()
	if err := r.Claim(job.Claim{PID: os.Getpid(), InvocationID: "another", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := r.Signal(context.Background(), r.job.Ref(), "KILL"); !errors.Is(err, job.ErrNotRunning) {
		t.Fatalf("got %v", err)
	}
	shim, _, err := holder(r.Run)
	if err != nil || shim == 0 {
		t.Fatal(shim, err)
	}
	if err := syscall.Kill(shim, 0); err != nil {
		t.Error(err)
	}
	if err := os.Remove(r.File("hold")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shim ends", func() bool { return !r.live() })
}

// Something that is none of ours can have the command's output open.
func TestAnEndDoesNotWaitForWhoeverHasThePipe(t *testing.T) {
	r := newBench(t).started("echo up; until [ -e $RUN/go ]; do sleep 0.01; done; echo last; exit 5")
	r.prints("up")
	pipe, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/1", r.claim().PID), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	r.touch("go")
	r.exited("5")
	if got := r.printed(); got != "up\nlast\n" {
		t.Errorf("it printed %q", got)
	}
}
