package journal

import (
	"fmt"
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
	more := Loss{First: now, Last: now}
	if s == Stderr {
		more.Stderr = n
	} else {
		more.Stdout = n
	}
	*l = l.plus(more)
}

func (l Loss) plus(m Loss) Loss { return lossOf(l.tally().plus(m.tally())) }

func (l Loss) tally() tally { return tally{[]int64{l.Stdout, l.Stderr}, l.First, l.Last} }

func lossOf(t tally) Loss { return Loss{t.counts[0], t.counts[1], t.first, t.last} }

// lostTally is lost.STDOUT.STDERR.FIRST.LAST, in bytes.
var lostTally = tallies{"lost", 2}

// Lost tells what the run of this logs directory lost. No directory: nothing.
func Lost(logs string) (Loss, error) {
	t, err := lostTally.read(logs)
	if err != nil {
		return Loss{}, fmt.Errorf("read losses: %w", err)
	}
	return lossOf(t), nil
}

// recordLoss adds to what is recorded. The caller has the lock.
func recordLoss(logs string, l Loss) error { return lostTally.record(logs, l.tally()) }
