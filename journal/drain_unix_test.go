//go:build unix

package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDrainOfASilentRunLeavesNothing(t *testing.T) {
	f := newFIFOs(t)
	f.drain(Options{})
	if exists(f.logs) {
		t.Error("there is a logs directory")
	}
}

func TestDrainTakesAllWhenNoPumpEverStarted(t *testing.T) {
	f := newFIFOs(t)
	f.write(Stdout, "one\ntwo")
	f.write(Stderr, "\x00\n")
	if n, err := Pending(f.held[:]...); n != 9 || err != nil {
		t.Errorf("pending: %d, %v, want 9", n, err)
	}
	f.drain(Options{Timestamps: true})
	checkRaw(t, f.logs, Stdout, []byte("one\ntwo"))
	checkRaw(t, f.logs, Stderr, []byte("\x00\n"))
	f.drain(Options{Timestamps: true})
	checkRaw(t, f.logs, Stdout, []byte("one\ntwo"))
}

func TestDrainWaitsForAPumpThatHoldsALineBack(t *testing.T) {
	f := newFIFOs(t)
	pump := f.pumpProcess(time.Hour)
	f.write(Stdout, "no end")
	eventually(t, "the pump takes it", func() bool { n, _ := Pending(f.held[0]); return n == 0 && exists(f.logs) })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := Drain(ctx, f.logs, f.sources(), Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("drain: %v, want the context's end", err)
	}
	if err := pump.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := pump.Wait(); err != nil {
		t.Fatal(err)
	}
	f.drain(Options{Timestamps: true})
	checkRaw(t, f.logs, Stdout, []byte("no end"))
	checkFormat(t, f.logs, true)
}

func TestAfterDrainTheOutputIsCompleteWhateverThePumpDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for i := range 100 {
		f := newFIFOs(t)
		stop := func() {}
		if i%4 != 0 {
			stop = f.pump(Options{Hold: []time.Duration{-1, 100 * time.Microsecond, 2 * time.Millisecond}[i%3]})
		}
		var want [numStreams]strings.Builder
		for n := range random.IntN(30) {
			s := Stream(random.IntN(2))
			text := fmt.Sprint("line ", n, strings.Repeat(".", random.IntN(500)), strings.Repeat("\n", random.IntN(3)))
			f.write(s, text)
			want[s].WriteString(text)
		}
		f.drain(Options{})
		for s := range want {
			checkRaw(t, f.logs, Stream(s), []byte(want[s].String()))
		}
		checkFormat(t, f.logs, false)
		stop()
	}
}

func TestAPumpGoesOnAfterADrain(t *testing.T) {
	f := newFIFOs(t)
	stop := f.pump(Options{Hold: -1})
	f.write(Stdout, "a\nb")
	f.drain(Options{})
	f.write(Stdout, "c\n")
	eventually(t, "the pump writes", func() bool { return string(raw(t, f.logs, Stdout)) == "a\nbc\n" })
	stop()
	checkFormat(t, f.logs, false)
}

func TestAPumpThatIsToldToStopTakesWhatIsThere(t *testing.T) {
	f := newFIFOs(t)
	want := strings.Repeat("line\n", 10000) + "no end"
	f.write(Stdout, want)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Pump(ctx, f.logs, f.sources(), Options{}); err != nil {
		t.Fatal(err)
	}
	checkRaw(t, f.logs, Stdout, []byte(want))
}

func TestAPumpIsNotHeldUpByAJobThatGoesOnPrinting(t *testing.T) {
	f := newFIFOs(t)
	f.job("yes")
	stop := f.pump(Options{})
	eventually(t, "it prints", func() bool { return content(f.logs) != "" })
	stop()
}

func TestAnIdlePumpLeavesAndCanStartAgain(t *testing.T) {
	f := newFIFOs(t)
	for i := range 3 {
		f.write(Stdout, fmt.Sprintln("line", i))
		start := time.Now()
		if err := Pump(t.Context(), f.logs, f.sources(), Options{Idle: 5 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d < 5*time.Millisecond {
			t.Errorf("left after %v", d)
		}
	}
	checkRaw(t, f.logs, Stdout, []byte("line 0\nline 1\nline 2\n"))
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	f := newFIFOs(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Mkdir(f.logs, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, logPath(f.logs, 1)); err != nil {
		t.Fatal(err)
	}
	f.write(Stdout, "secret\n")
	if err := Drain(t.Context(), f.logs, f.sources(), Options{}); err == nil {
		t.Error("no error")
	}
	if exists(elsewhere) {
		t.Error("it was written elsewhere")
	}
	if l, err := Lost(f.logs); l.Stdout != 7 || err != nil {
		t.Errorf("lost: %v, %v, want 7 bytes", l, err)
	}
}

func TestALinkInPlaceOfTheDirectoryIsNotFollowed(t *testing.T) {
	f := newFIFOs(t)
	f.write(Stdout, "secret\n")
	elsewhere := t.TempDir()
	if err := os.Symlink(elsewhere, f.logs); err != nil {
		t.Fatal(err)
	}
	if err := Drain(withTimeout(t), f.logs, f.sources(), Options{}); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("drain: %v", err)
	}
	if names := must(readNames(elsewhere)); len(names) > 0 {
		t.Errorf("%v are elsewhere", names)
	}
	if err := os.WriteFile(logPath(elsewhere, 1), []byte("stdout: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(f.logs, ReadOptions{Tail: 1}); err == nil {
		t.Error("it is read")
	}
}
