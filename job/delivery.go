package job

import (
	"errors"
	"fmt"
	"time"
)

// DeliveryState is what has become of an event that a callback is to be told of.
type DeliveryState string

// The states.
const (
	DeliveryPending DeliveryState = "pending"
	Delivered       DeliveryState = "delivered"
	GivenUp         DeliveryState = "given-up"
)

// Delivery is an event on its way to a callback: an entry of the outbox. It stays
// there until its job is deleted, or many newer ones have become of the job.
type Delivery struct {
	Event    Event         `json:"event"`
	Callback string        `json:"callback"`
	State    DeliveryState `json:"state"`
	Tries    int           `json:"tries,omitzero"`
	TriedAt  time.Time     `json:"tried_at,omitzero"` // when the last try was over
	NextAt   time.Time     `json:"next_at,omitzero"`  // while it is pending
	Error    string        `json:"error,omitzero"`    // of the last try; of one that was delivered, who was not told

	HostID  string `json:"host_id"` // of its job
	Backend string `json:"backend"`
	Scope   string `json:"scope"`
}

// Limits of trying: with the pauses below the last try is made two and a half days
// after the event.
const (
	maxTries    = 20
	maxAge      = 3 * 24 * time.Hour
	leastTries  = 6                // also of what is older, as when the machine was off meanwhile
	firstPause  = 10 * time.Second // after the first try; doubled each time
	maxPause    = 6 * time.Hour
	maxWord     = 300 // bytes of an error that are kept
	pauseSpread = 0.2 // so that what failed together does not come back together
)

// SendError is why a callback was not told.
type SendError struct {
	Text       string        `json:"text"` // free of secrets
	Final      bool          `json:"final,omitzero"`
	Partly     bool          `json:"partly,omitzero"`      // others of its recipients were: they must not be told again
	RetryAfter time.Duration `json:"retry_after,omitzero"` // what the receiver asks for
}

func (e *SendError) Error() string { return e.Text }

// Tried notes how a try ended, and decides when the next one is. random is evenly
// distributed in [0, 1).
func (d *Delivery) Tried(now time.Time, err error, random float64) {
	d.Tries++
	d.TriedAt, d.NextAt, d.Error = now, time.Time{}, ""
	if err == nil {
		d.State = Delivered
		return
	}
	d.Error = err.Error()
	if len(d.Error) > maxWord {
		d.Error = d.Error[:maxWord] + "..."
	}
	pause := min(firstPause<<min(d.Tries-1, 30), maxPause)
	pause += time.Duration(pauseSpread * (random - 0.5) * float64(pause))
	var send *SendError
	final := errors.As(err, &send) && send.Final
	if send != nil {
		pause = max(pause, min(send.RetryAfter, maxPause))
	}
	if send != nil && send.Partly {
		d.State = Delivered
		return
	}
	next := now.Add(pause)
	if final || d.Tries >= maxTries || d.Tries >= leastTries && next.Sub(d.Event.At) > maxAge {
		d.State = GivenUp
		return
	}
	d.NextAt = next
}

// Misdated tells that the next try is later than it could ever have been put off: the
// clock was set back since.
func (d *Delivery) Misdated(now time.Time) bool {
	return d.State == DeliveryPending && d.NextAt.Sub(now) > maxPause+time.Duration(pauseSpread*float64(maxPause))
}

// Describe tells people how it stands.
func (d *Delivery) Describe() string {
	switch tries := fmt.Sprintf("%d tries", d.Tries); {
	case d.State == Delivered && d.Tries == 1:
		return "delivered"
	case d.State == Delivered:
		return "delivered, after " + tries
	case d.State == GivenUp:
		return "given up after " + tries
	case d.Tries == 0:
		return "pending"
	default:
		return "pending, after " + tries
	}
}
