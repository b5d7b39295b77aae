//go:build unix

package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A killed pump may lose what it has read and not written. The rest stays what it
// was: nothing twice, nothing out of order, no line joined with another, and a job
// that never notices.
func TestKillingThePumpAtAnyTimeDoesNoMoreThanLoseLines(t *testing.T) {
	const lines, kills = 1_000_000, 20
	f := newFIFOs(t)
	// The last line comes when nobody is killed any more: what a pump had read that was
	// killed may be lost, without a spool.
	gate := filepath.Join(t.TempDir(), "gate")
	job := f.job("sh", "-c", fmt.Sprintf("seq %d; until test -e %s; do sleep 0.01; done; echo; echo %d", lines-1, gate, lines))
	for i := range kills {
		pump := f.pumpProcess(0)
		before := size(f.logs)
		eventually(t, "the pump writes, or all is over", func() bool { return size(f.logs) > before || i > 0 && quiet(f) })
		if err := pump.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		_ = pump.Wait() // says that it was killed
	}
	stop := f.pump(Options{Timestamps: true})
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := job.Wait(); err != nil {
		t.Fatalf("the job noticed: %v", err)
	}
	f.drain(Options{Timestamps: true})
	stop()

	last, cut := 0, 0
	for line := range bytes.Lines(raw(t, f.logs, Stdout)) {
		n, err := strconv.Atoi(strings.TrimSuffix(string(line), "\n"))
		if err != nil && len(line) > 1 {
			t.Fatal(err)
		}
		if n <= last {
			cut++ // its first digits are lost, or its last ones
		}
		last = max(last, n)
	}
	if cut > 2*kills {
		t.Errorf("%d lines are cut or out of order after %d kills", cut, kills)
	}
	if last != lines {
		t.Errorf("the last line is %d", last)
	}
}

func size(logs string) int64 {
	info, err := os.Stat(logPath(logs, 1))
	if err != nil {
		return 0
	}
	return info.Size()
}

func quiet(f *fifos) bool {
	n, err := Pending(f.held[:]...)
	return n == 0 && err == nil
}

// records are two streams' lines, whole and in pieces, as a pump writes them.
func records(stamps bool) string {
	var b []byte
	now := time.Time{}
	if stamps {
		now = noon
	}
	add := func(s Stream, partial bool, text string) {
		b = append(append(appendHeader(b, now, s, partial), text...), '\n')
	}
	add(Stdout, false, "one")
	add(Stderr, true, "two a ")
	add(Stdout, false, "")
	add(Stderr, false, "two b")
	add(Stdout, true, "three")
	return string(b)
}

func TestAFileCutOffAnywhereIsRepairedAndGoesOn(t *testing.T) {
	for _, stamps := range []bool{true, false} {
		whole := records(stamps)
		for cut := range len(whole) + 1 {
			f := newFIFOs(t)
			writeLog(t, f.logs, 1, whole[:cut])
			torn := readAll(t, f.logs, ReadOptions{Tail: All})
			f.write(Stdout, "more\n")
			f.write(Stderr, "more\n")
			f.drain(Options{Timestamps: stamps})

			got := readAll(t, f.logs, ReadOptions{Tail: All})
			if err := checkRepaired(whole[:cut], torn, got); err != nil {
				t.Fatalf("%q: %v", whole[:cut], err)
			}
			if all := content(f.logs); !strings.HasPrefix(all, whole[:cut]) {
				t.Fatalf("%q: something was taken back", whole[:cut])
			}
		}
	}
}

// checkRepaired compares what is read of a torn file, of its whole records and
// whole headers, with what is read after the repair.
func checkRepaired(file string, torn, got []Line) error {
	rest := file[strings.LastIndexByte(file, '\n')+1:]
	whole := strings.Count(file, "\n")
	if strings.Contains(rest, ": ") {
		whole++
	}
	if len(torn) != whole || len(got) != len(torn)+2 {
		return fmt.Errorf("%d records before, %d after", len(torn), len(got))
	}
	for i, before := range torn {
		after := got[i]
		if string(before.Text) != string(after.Text) || before.Stream != after.Stream {
			return fmt.Errorf("%v became %v", before, after)
		}
		isTorn := i == len(torn)-1 && before.Partial && !strings.HasSuffix(file, "\n")
		if !isTorn && before.Partial != after.Partial {
			return fmt.Errorf("%v became %v", before, after)
		}
	}
	for _, l := range got[len(torn):] {
		if string(l.Text) != "more" || l.Partial {
			return fmt.Errorf("new record is %v", l)
		}
	}
	return nil
}
