package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Loss is output that the run wrote and that could not be kept. The zero value
// means that nothing is known to be lost.
type Loss struct {
	Stdout, Stderr int64     // bytes, newlines included
	First, Last    time.Time // when bytes were dropped; to the microsecond
}

// Total returns the number of bytes lost on both streams.
func (l Loss) Total() int64 { return l.Stdout + l.Stderr }

// add counts n bytes more, which may be negative: bytes that were made good.
func (l *Loss) add(s Stream, n int64, now time.Time) {
	if s == Stderr {
		l.Stderr += n
	} else {
		l.Stdout += n
	}
	l.span(now, now)
}

func (l *Loss) span(first, last time.Time) {
	if l.First.IsZero() || first.Before(l.First) {
		l.First = first
	}
	if last.After(l.Last) {
		l.Last = last
	}
}

func (l Loss) plus(m Loss) Loss {
	l.Stdout += m.Stdout
	l.Stderr += m.Stderr
	l.span(m.First, m.Last)
	return l
}

// Lost tells what the run of this logs directory lost. No directory: nothing.
//
// The record of it is an empty file whose name has all the numbers. A full disk is
// the usual reason for a loss, and a name still fits where a text doesn't; and a
// rename replaces it in one step.
func Lost(logs string) (Loss, error) {
	names, err := readNames(logs)
	if err != nil {
		return Loss{}, fmt.Errorf("read losses: %w", err)
	}
	var sum Loss
	for _, name := range names {
		if l, ok := parseLoss(name); ok {
			sum = sum.plus(l)
		}
	}
	return sum, nil
}

// recordLoss adds to what is recorded. The caller has the lock.
func recordLoss(logs string, l Loss) error {
	names, err := readNames(logs)
	if err != nil {
		return err
	}
	for _, name := range names {
		if before, ok := parseLoss(name); ok {
			return os.Rename(filepath.Join(logs, name), filepath.Join(logs, lossName(before.plus(l))))
		}
	}
	f, err := os.OpenFile(filepath.Join(logs, lossName(l)), os.O_WRONLY|os.O_CREATE|noFollow, fileMode)
	if err != nil {
		return err
	}
	return f.Close()
}

const lossPrefix = "lost"

// lossName is lost.STDOUT.STDERR.FIRST.LAST: bytes, and Unix times in microseconds.
func lossName(l Loss) string {
	return fmt.Sprintf("%s.%d.%d.%d.%d", lossPrefix, l.Stdout, l.Stderr, l.First.UnixMicro(), l.Last.UnixMicro())
}

func parseLoss(name string) (l Loss, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 5 || parts[0] != lossPrefix {
		return Loss{}, false
	}
	var numbers [4]int64
	for i := range numbers {
		n, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil {
			return Loss{}, false
		}
		numbers[i] = n
	}
	return Loss{
		Stdout: numbers[0], Stderr: numbers[1],
		First: time.UnixMicro(numbers[2]).UTC(), Last: time.UnixMicro(numbers[3]).UTC(),
	}, true
}
