package engine

import (
	"context"
	"errors"
	"time"

	"jobman/job"
	"jobman/store"
)

// netInterval is how often the safety net comes along while a job is incomplete.
const netInterval = time.Minute

// Overdue tells whether the safety net should have come along.
func (e *Engine) Overdue() (bool, error) {
	last, err := e.Tree.Reconciled()
	// A time to come is that of a clock that was wrong.
	age := e.now().Sub(last)
	return age > netInterval || age < 0, err
}

// Reconcile is the safety net: it looks at every incomplete job of this machine
// and does what was missed, because a trigger got lost or whoever had it was
// killed. It may be called any number of times and be killed anywhere. What goes
// wrong with one job, or one backend, is logged and left to the next time.
func (e *Engine) Reconcile(ctx context.Context) error {
	// First of all, so that of many commands at once only one is late.
	e.log(e.Tree.SetReconciled(e.now()))
	if _, err := e.takeIn(ctx); err != nil {
		return err
	}
	jobs, err := e.Store.Query(ctx, store.Filter{Active: true})
	if err != nil {
		return err
	}
	seen, err := e.units(ctx, jobs)
	e.log(err)
	overdue := map[job.Ref]job.Observation{}
	for _, j := range jobs {
		switch {
		case j.HostID != e.HostID:
			continue
		case !e.mayRun(j):
			e.log(e.Step(ctx, j.ID))
			continue
		}
		u := seen[j.Ref()]
		if u.State == job.UnitUnknown || u.State == job.UnitLive && j.Killing() == nil {
			continue
		}
		o := job.Observation{Now: e.now(), Unit: u}
		if err := e.records(j.Ref(), &o); err != nil {
			e.log(err)
			continue
		}
		decided, actions := job.Decide(*j, o)
		if decided.Completed() || due(&decided, actions) {
			overdue[j.Ref()] = o
		}
	}
	_, err = e.settle(ctx, overdue)
	return err
}

// Tidy has a backend's manager forget the failed runs that are recorded, and
// sees to it that it calls jobman for as long as there is an incomplete job, and
// no longer.
func (e *Engine) Tidy(ctx context.Context, b Keeper) error {
	failed, err := b.Failed(ctx)
	if err != nil {
		return err
	}
	var over []job.Ref
	for _, ref := range failed {
		j, err := e.Store.Get(ctx, ref.ID, -1)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil {
			if r := j.Run(ref.Run); r == nil || r.Active() {
				continue
			}
		}
		over = append(over, ref)
	}
	if len(over) > 0 {
		if err := b.Forget(ctx, over); err != nil {
			return err
		}
	}
	active, err := e.active(ctx)
	if err != nil || active {
		return errors.Join(err, b.Keep(ctx, true))
	}
	if err := b.Keep(ctx, false); err != nil {
		return err
	}
	// A job that was submitted meanwhile may have counted on what was just
	// ended: it was committed before it looked, so it is seen here.
	active, err = e.active(ctx)
	if err == nil && active {
		err = b.Keep(ctx, true)
	}
	return err
}

// active tells whether a job of this machine is incomplete.
func (e *Engine) active(ctx context.Context) (bool, error) {
	jobs, err := e.Store.Query(ctx, store.Filter{Active: true})
	for _, j := range jobs {
		if j.HostID == e.HostID {
			return true, nil
		}
	}
	return false, err
}
