package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

var errFull = errors.New("no space left")

// A disk that is full at random, also in the middle of a write.
func TestWhateverFailsEveryByteIsKeptOrCounted(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		logs := newLogs(t)
		a := newAppender(logs, Options{Timestamps: seed%2 == 0, write: func(f *os.File, b []byte) (int, error) {
			if random.IntN(2) == 0 {
				return f.Write(b)
			}
			n, _ := f.Write(b[:random.IntN(len(b)+1)])
			return n, errFull
		}})
		var want [numStreams][]byte
		for i := range 1 + random.IntN(40) {
			s := Stream(random.IntN(2))
			if err := a.acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
			a.at(time.Now())
			for range random.IntN(3) {
				text := fmt.Appendf(nil, "<%d%s>\n", i, strings.Repeat(".", random.IntN(10)))
				a.lines(s, text)
				want[s] = append(want[s], text...)
			}
			if random.IntN(3) == 0 {
				text := fmt.Appendf(nil, "<%d", i)
				a.piece(s, text)
				want[s] = append(want[s], text...)
			}
			a.flush()
			a.retry = time.Time{} // as if it were later
			if random.IntN(2) == 0 {
				a.release()
			}
		}
		a.write = (*os.File).Write
		_ = a.close() // tells of the loss
		checkLoss(t, logs, want)
		if t.Failed() {
			t.Fatalf("seed %d, log:\n%s", seed, content(logs))
		}
	}
}

// checkLoss checks that what was kept is what was written, but for as many bytes
// as are counted, and that no two lines were joined.
func checkLoss(t *testing.T, logs string, want [numStreams][]byte) {
	t.Helper()
	lost, err := Lost(logs)
	if err != nil {
		t.Fatal(err)
	}
	for s, counted := range []int64{lost.Stdout, lost.Stderr} {
		got := raw(t, logs, Stream(s))
		if int64(len(got))+counted != int64(len(want[s])) {
			t.Errorf("%v: %d bytes kept, %d lost, %d written", Stream(s), len(got), counted, len(want[s]))
		}
		if !subsequence(got, want[s]) {
			t.Errorf("%v: %q is no part of %q", Stream(s), got, want[s])
		}
		lines := bytes.Split(want[s], []byte("\n"))
		for line := range bytes.Lines(got) {
			if !within(bytes.TrimSuffix(line, []byte("\n")), &lines) {
				t.Errorf("%v: line %q is part of no line written", Stream(s), line)
			}
		}
	}
}

// within reports whether the line is part of one of these, and leaves those from
// it on.
func within(line []byte, lines *[][]byte) bool {
	for i, l := range *lines {
		if subsequence(line, l) {
			*lines = (*lines)[i:]
			return true
		}
	}
	return false
}

func subsequence(part, whole []byte) bool {
	for _, c := range part {
		i := bytes.IndexByte(whole, c)
		if i < 0 {
			return false
		}
		whole = whole[i+1:]
	}
	return true
}

func TestLossesAddUp(t *testing.T) {
	logs := newLogs(t)
	if l, err := Lost(logs); l != (Loss{}) || err != nil {
		t.Errorf("no directory: %v, %v", l, err)
	}
	writeLog(t, logs, 1, "")
	first, last := time.UnixMicro(1e15).UTC(), time.UnixMicro(2e15).UTC()
	for _, l := range []Loss{{1, 0, last, last}, {0, 10, first, last}, {100, -1, last, last}} {
		if err := recordLoss(logs, l); err != nil {
			t.Fatal(err)
		}
	}
	if l, err := Lost(logs); l != (Loss{101, 9, first, last}) || l.Total() != 110 || err != nil {
		t.Errorf("sum: %v, %v", l, err)
	}
	if names, _ := readNames(logs); len(names) != 2 {
		t.Errorf("files: %v, want one of losses", names)
	}
}

func TestAfterAFailureItIsNotTriedAtOnceAgain(t *testing.T) {
	tries := 0
	a := newAppender(newLogs(t), Options{write: func(*os.File, []byte) (int, error) { tries++; return 0, errFull }})
	for range 100 {
		if err := a.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.at(time.Now())
		a.lines(Stdout, []byte("x\n"))
		a.flush()
		a.release()
		a.retry = a.retry.Add(time.Hour) // a slow machine changes nothing
		if l, err := Lost(a.lock.logs); l.Total() != a.lost.Total() || err != nil {
			t.Fatalf("told: %v, %v, lost: %v", l, err, a.lost)
		}
	}
	if err := a.close(); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "200 bytes") {
		t.Errorf("error: %v", err)
	}
	if tries != 1 {
		t.Errorf("%d writes", tries)
	}
}
