package journal

import (
	"fmt"
	"time"
)

// Missed is what the copy of a run's output in journald lacks. The files have it.
type Missed struct {
	Lines       int64
	First, Last time.Time // when they were left out; to the microsecond
}

func (m *Missed) add(lines int, now time.Time) {
	if lines > 0 {
		*m = m.plus(Missed{int64(lines), now, now})
	}
}

func (m Missed) plus(n Missed) Missed { return missedOf(m.tally().plus(n.tally())) }

func (m Missed) tally() tally { return tally{[]int64{m.Lines}, m.First, m.Last} }

func missedOf(t tally) Missed { return Missed{t.counts[0], t.first, t.last} }

// missedTally is uncopied.LINES.FIRST.LAST.
var missedTally = tallies{"uncopied", 1}

// Uncopied tells what the copy in journald lacks of the run of this logs directory,
// as far as it was noted: what a pump that was killed had not sent is not.
func Uncopied(logs string) (Missed, error) {
	t, err := missedTally.read(logs)
	if err != nil {
		return Missed{}, fmt.Errorf("read what was not copied: %w", err)
	}
	return missedOf(t), nil
}

// recordMissed adds to what is recorded. The caller has the lock.
func recordMissed(logs string, m Missed) error { return missedTally.record(logs, m.tally()) }
