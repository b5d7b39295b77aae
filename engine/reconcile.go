package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"jobman/failpoint"
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
// wrong with one job, or one backend, is logged and left to the next time. It
// returns whether there were incomplete jobs, or something is still to be delivered.
func (e *Engine) Reconcile(ctx context.Context) (active bool, err error) {
	// First of all, so that of many commands at once only one is late.
	e.log(e.Tree.SetReconciled(e.now()))
	failpoint.Hit("stamped")
	if _, err := e.takeIn(ctx); err != nil {
		return false, err
	}
	jobs, err := e.active(ctx)
	if err != nil {
		return false, err
	}
	seen, err := e.units(ctx, jobs)
	e.log(err)
	var late overdue
	for where, waiting := range e.waiting(jobs) {
		e.log(e.inspectWaiting(ctx, where, waiting, &late))
	}
	for _, j := range jobs {
		if waits(j) {
			continue
		}
		if !e.mayRun(j) {
			e.complain(j.ID, e.Step(ctx, j.ID))
			continue
		}
		u := seen[j.Ref()]
		if u.State == job.UnitLive {
			e.complain(j.ID, e.Tree.Run(j.Ref()).Beat(e.now()))
		}
		if u.State == job.UnitLive && j.Killing() == nil {
			continue // as it should be
		}
		e.complain(j.ID, e.inspect(ctx, j.Ref(), seen[j.Ref()], &late))
	}
	err = e.do(ctx, late)
	e.log(e.reapLeft(ctx))
	pending, derr := e.deliverLeft(ctx)
	e.log(derr)
	return len(jobs) > 0 || pending, err
}

// waiting returns the waiting jobs by their backends.
func (e *Engine) waiting(jobs []*job.Job) map[place][]*job.Job {
	found := map[place][]*job.Job{}
	for _, j := range jobs {
		if waits(j) {
			at := place{j.Backend, j.Scope}
			found[at] = append(found[at], j)
		}
	}
	return found
}

// inspectWaiting adds the waiting jobs of a backend that are overdue, or that it
// does not know to be waiting.
func (e *Engine) inspectWaiting(ctx context.Context, at place, jobs []*job.Job, late *overdue) error {
	b, err := e.Backend(at.backend, at.scope)
	if err != nil {
		return err
	}
	armed, err := b.Armed(ctx, jobs)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if !late.addWaiting(j, e.now(), armed[j.ID]) && e.filesDiffer(ctx, j) {
			late.steps = append(late.steps, j.ID)
		}
	}
	return nil
}

// filesDiffer tells whether a file that a job waits for has come, or gone, unlike
// at the last look: a trigger was missed, or there are more directories than are
// watched.
func (e *Engine) filesDiffer(ctx context.Context, j *job.Job) bool {
	return j.Sensing() && slices.ContainsFunc(j.Conditions, func(c job.Condition) bool {
		return c.Kind == job.KindFile && e.Sensors.Check(ctx, j, c).Met != c.Met
	})
}

// inspect adds what is overdue of a run.
func (e *Engine) inspect(ctx context.Context, ref job.Ref, u job.Unit, late *overdue) error {
	if u.State == job.UnitUnknown {
		return nil // its backend could not be asked
	}
	j, err := e.Store.Get(ctx, ref.ID, 1)
	if err != nil || !e.mayRun(j) || j.Ref() != ref {
		return err // somebody else was faster
	}
	o := e.observation()
	o.Unit = u
	if err := e.complete(ctx, j, &o); err != nil {
		return err
	}
	decided, actions := job.Decide(*j, o)
	late.add(j, &decided, actions, o)
	return nil
}

// Tidy has a backend's manager forget the failed runs that are recorded, and
// sees to it that it calls jobman for as long as jobs are active, and no longer.
func (e *Engine) Tidy(ctx context.Context, b Keeper, active bool) error {
	if err := e.StepFailed(ctx, b); err != nil {
		return err
	}
	if err := b.Unneeded(ctx, func() ([]*job.Job, error) { return e.active(ctx) }); err != nil {
		return err
	}
	if active {
		return b.Keep(ctx, true)
	}
	if err := b.Keep(ctx, false); err != nil {
		return err
	}
	failpoint.Hit("unkept")
	// A job that was submitted meanwhile may have counted on what was just
	// ended: it was committed before it looked, so it is seen here.
	jobs, err := e.active(ctx)
	if err != nil {
		return err
	}
	left, err := e.Undelivered(ctx)
	if err == nil && (len(jobs) > 0 || left != nil) {
		err = b.Keep(ctx, true)
	}
	return err
}

// StepFailed does what is due of the runs that a backend's manager calls failed: of
// those whose end is recorded it forgets them, and the others' jobs are stepped.
func (e *Engine) StepFailed(ctx context.Context, b Keeper) error {
	failpoint.Hit("failed")
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
				e.log(e.Step(ctx, ref.ID))
				continue
			}
		}
		over = append(over, ref)
	}
	if len(over) == 0 {
		return nil
	}
	return b.Forget(ctx, over)
}

// active returns the incomplete jobs of this machine, in brief.
func (e *Engine) active(ctx context.Context) ([]*job.Job, error) {
	jobs, err := e.Store.Query(ctx, store.Filter{Active: true, Brief: true})
	return slices.DeleteFunc(jobs, func(j *job.Job) bool { return j.HostID != e.HostID }), err
}

// Waiting returns the waiting jobs that a backend of this machine sees to, in
// brief.
func (e *Engine) Waiting(ctx context.Context, backend string) ([]*job.Job, error) {
	jobs, err := e.active(ctx)
	return slices.DeleteFunc(jobs, func(j *job.Job) bool { return !waits(j) || j.Backend != backend }), err
}
