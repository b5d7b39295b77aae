package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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

const (
	// sendAtOnce is how many callbacks are told at a time, and sendToOne how many of
	// those may be the same one: who is slow must not keep others waiting.
	sendAtOnce = 8
	sendToOne  = 4
	// sendFor bounds one try; what sends has shorter limits of its own.
	sendFor = 2 * time.Minute
	// pendingAtOnce is how many deliveries are read at a time.
	pendingAtOnce = 1024
	// lookAgain is how long a deliverer relies on being poked.
	lookAgain = time.Minute
)

// tell has what was committed to the outbox of a job delivered.
func (e *Engine) tell(ctx context.Context, j *job.Job) error {
	return e.deliver(ctx, j, time.Time{})
}

// deliver has the job's backend deliver what is due at a time; zero: now.
func (e *Engine) deliver(ctx context.Context, j *job.Job, at time.Time) error {
	b, err := e.Backend(j.Backend, j.Scope)
	if err == nil {
		err = b.Deliver(ctx, at)
	}
	if err != nil {
		return fmt.Errorf("tell callbacks: %w", err) // the safety net does
	}
	return nil
}

// Undelivered returns the pending delivery of this machine that is tried next; nil:
// there is none.
func (e *Engine) Undelivered(ctx context.Context) (*job.Delivery, error) {
	first, err := e.Store.Pending(ctx, e.HostID, 1)
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
	at := d.NextAt
	if !at.After(e.now()) {
		at = time.Time{}
	}
	return true, e.deliver(ctx, &job.Job{Backend: d.Backend, Scope: d.Scope}, at)
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
		case <-ctx.Done():
			err = ctx.Err()
		}
		timer.Stop()
		if err != nil {
			return time.Time{}, err
		}
	}
}

// start begins what is due and there is room for. It returns when the first is due
// that is not.
func (d *delivering) start(ctx context.Context) (next time.Time, err error) {
	pending, err := d.Store.Pending(ctx, d.HostID, pendingAtOnce)
	if err != nil {
		return next, err
	}
	now := d.now()
	for _, one := range pending {
		name := one.Callback
		switch {
		case d.busy[one.Event.ID]:
		case one.NextAt.After(now):
			return one.NextAt, nil
		case len(d.busy) < sendAtOnce && d.to[name] < sendToOne:
			d.busy[one.Event.ID] = true
			d.to[name]++
			go func() { d.done <- d.try(ctx, one) }()
		}
	}
	return time.Time{}, nil
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
	j, err := d.Store.Get(ctx, one.Event.Job, -1)
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
	if err := d.Store.Tried(ctx, all); err != nil {
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

// told is the event of a try.
func told(d *job.Delivery) events.Event {
	level := events.Info
	if d.State != job.Delivered {
		level = events.Warn
	}
	return events.New(level, "callback", "event", d.Event.Kind, "run", d.Event.Run, "callback", job.RedactCallback(d.Callback),
		"state", d.State, "try", d.Tries, "error", d.Error, "next", d.NextAt)
}
