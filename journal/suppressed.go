package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Suppression is journald's word that it dropped messages above its rate limit.
type Suppression struct {
	Time     time.Time // when it said so: with the next message that it took
	Messages int
	Unit     string // whose; in a user's scope all services of the user are one
}

// DefaultBurst is how many messages in 30 s journald takes at least, unless it was
// told otherwise (RateLimitBurst= in journald.conf(5)).
const DefaultBurst = 10_000

// messageDropped is the MESSAGE_ID of that word: SD_MESSAGE_JOURNAL_DROPPED.
const messageDropped = "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e"

// suppressedFor is how long after a run's last line journald may tell what it
// dropped before: with the next message of the unit after its interval.
const suppressedFor = 2 * time.Minute

// Suppressed returns what journald says that it dropped of the units whose lines
// these are, in their time. It says so in the system's journal, which not every
// user may read.
func (s *Stored) Suppressed(ctx context.Context) (found []Suppression, err error) {
	if s.Lines == 0 {
		return nil, nil
	}
	args := []string{
		fmt.Sprintf("--since=@%d", s.times.first.Unix()),
		fmt.Sprintf("--until=@%d", s.times.last.Add(suppressedFor).Unix()),
		messageDropped,
	}
	err = journalctl(ctx, args, func(e *entry) error {
		_, unit, _ := strings.Cut(string(e.message), " messages from ")
		if s.units[unit] {
			found = append(found, Suppression{e.time, e.dropped, unit})
		}
		return nil
	})
	if errors.Is(err, ErrUnreadable) {
		return nil, nil
	}
	return found, err
}
