package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"jobman/events"
	"jobman/failpoint"
	"jobman/job"
	"jobman/store"
)

// Callbacks tell of events.
type Callbacks interface {
	// Send tells a callback of a job's event, once. It returns nil if that took it,
	// and mostly a *job.SendError if not. The error MUST be free of secrets.
	Send(ctx context.Context, j *job.Job, c *job.Callback, e *job.Event) error
}

// forkBackend is the one that needs nothing.
const forkBackend = "fork"

const (
	// sendAtOnce is how many callbacks are told at a time, and sendToOne how many of
	// those may be the same one: who is slow must not keep others waiting.
	sendAtOnce = 8
	sendToOne  = 4
	// sendFor bounds one try; what sends has shorter limits of its own.
	sendFor = 2 * time.Minute
	// recordAgain is the first pause after a try could not be recorded; each is twice the
	// one before, up to lookAgain.
	recordAgain = time.Second
	// lookAgain is how long a deliverer relies on being poked.
	lookAgain = time.Minute
)

// tell has what was committed to the outbox of a job delivered.
func (e *Engine) tell(ctx context.Context, j *job.Job) error {
	return e.deliver(ctx, place{j.Backend, j.Scope}, time.Time{})
}

// deliver has a job's backend deliver what is due at a time; zero: now. Where there is
// no systemd any more to do so, a process of our own does.
func (e *Engine) deliver(ctx context.Context, at place, when time.Time) error {
	err := e.deliverBy(ctx, at, when)
	if err != nil && at.backend != forkBackend {
		ferr := e.deliverBy(ctx, place{forkBackend, at.scope}, when)
		if ferr == nil {
			return nil
		}
		err = errors.Join(err, ferr)
	}
	if err != nil {
		return fmt.Errorf("tell callbacks: %w", err) // the safety net does
	}
	return nil
}

func (e *Engine) deliverBy(ctx context.Context, at place, when time.Time) error {
	b, err := e.Backend(at.backend, at.scope)
	if err != nil {
		return err
	}
	return b.Deliver(ctx, when)
}

// Undelivered returns the pending delivery of this machine that is tried next; nil:
// there is none.
func (e *Engine) Undelivered(ctx context.Context) (*job.Delivery, error) {
	first, err := e.Store.Pending(ctx, e.HostID, 1, nil)
	if err != nil || len(first) == 0 {
		return nil, err
	}
	return &first[0], nil
}

// deliverLeft sees to it that what is pending is delivered: a timer for the next try does
// not outlive a reboot. It returns whether anything is pending.
func (e *Engine) deliverLeft(ctx context.Context) (pending bool, err error) {
	d, err := e.Undelivered(ctx)
	if err != nil || d == nil {
		return false, err
	}
	when := d.NextAt
	if !when.After(e.now()) {
		when = time.Time{}
	}
	return true, e.deliver(ctx, place{d.Backend, d.Scope}, when)
}

// delivering is a process that delivers from the outbox.
type delivering struct {
	*Engine
	busy map[string]bool // by event id
	to   map[string]int  // by callback
	done chan job.Delivery
}

// Deliver tries what is due in the outbox until nothing is, or with stay until nothing
// is left. It returns when the next try is due; zero: there is none.
func (e *Engine) Deliver(ctx context.Context, poked <-chan struct{}, stay bool) (next time.Time, err error) {
	d := &delivering{e, map[string]bool{}, map[string]int{}, make(chan job.Delivery, sendAtOnce)}
	if err := d.redate(ctx); err != nil {
		return next, err
	}
	for {
		next, err := d.start(ctx)
		if err != nil || len(d.busy) == 0 && (next.IsZero() || !stay) {
			return next, err
		}
		pause := lookAgain
		if !next.IsZero() {
			pause = min(pause, max(0, next.Sub(e.now())))
		}
		timer := time.NewTimer(pause)
		select {
		case one := <-d.done:
			err = d.finish(ctx, one)
		case <-poked:
		case <-timer.C:
			err = d.redate(ctx)
		case <-ctx.Done():
			err = ctx.Err()
		}
		timer.Stop()
		if err != nil {
			return time.Time{}, err
		}
	}
}

// redate makes due what would not be for long because the clock was set back.
func (d *delivering) redate(ctx context.Context) error {
	now := d.now()
	misdated, err := d.Store.Pending(ctx, d.HostID, math.MaxInt, func(one *job.Delivery) bool {
		return d.busy[one.Event.ID] || !one.Misdated(now)
	})
	if err != nil || len(misdated) == 0 {
		return err
	}
	for i := range misdated {
		misdated[i].NextAt = now
	}
	return d.Store.Tried(ctx, misdated)
}

// start begins what is due and there is room for. It returns when the first is due
// that is not; zero: there is none, or no room.
func (d *delivering) start(ctx context.Context) (next time.Time, err error) {
	for len(d.busy) < sendAtOnce {
		first, err := d.Store.Pending(ctx, d.HostID, sendAtOnce, func(one *job.Delivery) bool {
			return d.busy[one.Event.ID] || d.to[one.Callback] >= sendToOne
		})
		if err != nil || len(first) == 0 {
			return next, err
		}
		now := d.now()
		for _, one := range first {
			switch {
			case one.NextAt.After(now):
				return one.NextAt, nil
			case len(d.busy) < sendAtOnce && d.to[one.Callback] < sendToOne:
				d.busy[one.Event.ID] = true
				d.to[one.Callback]++
				go func() { d.done <- d.try(ctx, one) }()
			}
		}
	}
	return next, nil
}

// try tries a delivery.
func (d *delivering) try(ctx context.Context, one job.Delivery) job.Delivery {
	ctx, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	err := d.send(ctx, &one)
	failpoint.Hit("sent")
	one.Tried(d.now(), err, rand.Float64())
	return one
}

func (d *delivering) send(ctx context.Context, one *job.Delivery) error {
	j, err := d.Store.Get(ctx, one.Event.Job, 1)
	if err == nil && one.Event.Run > 0 && j.Run(one.Event.Run) == nil {
		j, err = d.Store.Get(ctx, one.Event.Job, j.RunCount-one.Event.Run+1)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile, and the delivery with it
	}
	if err != nil {
		return err
	}
	for i := range j.Callbacks {
		if j.Callbacks[i].Name == one.Callback {
			return d.Callbacks.Send(ctx, j, &j.Callbacks[i], &one.Event)
		}
	}
	return &job.SendError{Text: "the job has no such callback", Final: true}
}

// finish stores how tries ended: this one's, and what else has ended by now.
func (d *delivering) finish(ctx context.Context, one job.Delivery) error {
	all := []job.Delivery{one}
	for more := true; more; {
		select {
		case another := <-d.done:
			all = append(all, another)
		default:
			more = false
		}
	}
	if err := d.record(ctx, all); err != nil {
		return err
	}
	failpoint.Hit("recorded")
	for i := range all {
		delete(d.busy, all[i].Event.ID)
		d.to[all[i].Callback]--
		d.note(all[i].Event.Job, told(&all[i]))
	}
	return nil
}

// record stores how tries ended. What is in the way of that, such as a full disk, is waited
// for, and nothing else begun meanwhile: who was told and is not recorded is told again.
func (d *delivering) record(ctx context.Context, all []job.Delivery) error {
	for pause := recordAgain; ; pause = min(2*pause, lookAgain) {
		err := d.Store.Tried(ctx, all)
		if err == nil || errors.Is(err, store.ErrDamaged) {
			return err
		}
		if _, serr := os.Stat(string(d.Tree)); errors.Is(serr, fs.ErrNotExist) {
			return err // the store was removed
		}
		if pause == recordAgain {
			d.log(fmt.Errorf("record who was told: %w", err))
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, ctx.Err())
		}
	}
}

// told is the event of a try.
func told(d *job.Delivery) events.Event {
	level := events.Info
	if d.State != job.Delivered || d.Error != "" {
		level = events.Warn
	}
	return events.New(level, "callback", "event", d.Event.Kind, "run", d.Event.Run, "callback", job.RedactCallback(d.Callback),
		"state", d.State, "try", d.Tries, "error", d.Error, "next", d.NextAt)
}
