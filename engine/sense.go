package engine

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"jobman/events"
	"jobman/job"
	"jobman/store"
)

// Sensors look at what a job waits for, beside times and other jobs.
type Sensors interface {
	// Check looks at a condition of the job; it returns in time and says in what
	// it returns what went wrong.
	Check(ctx context.Context, j *job.Job, c job.Condition) job.Check
	// Watch returns the paths whose change may make the condition hold.
	Watch(c job.Condition) []job.Watch
}

// sense adds to an observation what is found of the job's conditions.
func (e *Engine) sense(ctx context.Context, j *job.Job, o *job.Observation, why *occasion) error {
	if !j.Sensing() || len(j.Conditions) == 0 {
		return nil
	}
	err := e.look(ctx, j, o)
	if err != nil || !e.Patient {
		return err
	}
	due := j.PollsDue(*o)
	if due == nil {
		return nil
	}
	return e.poll(ctx, j, o, due, why)
}

// look checks the conditions that can be checked at once.
func (e *Engine) look(ctx context.Context, j *job.Job, o *job.Observation) error {
	o.Checks = make([]job.Check, len(j.Conditions))
	o.Watches = make([][]job.Watch, len(j.Conditions))
	for i, c := range j.Conditions {
		switch {
		case c.Kind == job.KindJob:
			id, outcome := job.Awaited(c.Target)
			other, err := e.Store.Get(ctx, id, 0)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			o.Checks[i] = job.CheckAwaited(other, outcome, o.Now)
			o.Watches[i] = []job.Watch{{Kind: job.PathChanged, Path: job.Text(filepath.Join(e.Tree.Job(id), "state"))}}
		case !c.Kind.Timed() && !c.Kind.Polled():
			o.Checks[i] = e.Sensors.Check(ctx, j, c)
			o.Watches[i] = e.Sensors.Watch(c)
		}
	}
	return nil
}

// dueAtOnce is how many jobs are stepped at a time whose time has come.
const dueAtOnce = 4

// Due steps the jobs whose time has come, and those whose delay began later than now:
// a timer counts by a clock that is not set.
func (e *Engine) Due(ctx context.Context) error {
	n, err := e.due(ctx)
	if n > 0 || err != nil {
		return err
	}
	jobs, err := e.active(ctx)
	jobs = slices.DeleteFunc(jobs, func(j *job.Job) bool { return !j.SetBack(e.now()) })
	each(len(jobs), dueAtOnce, func(i int) { e.log(e.Step(ctx, jobs[i].ID)) })
	return err
}

// due steps the jobs whose time has come, and returns how many there were. Those that
// poll have a timer of their own for that.
func (e *Engine) due(ctx context.Context) (int, error) {
	now := e.now()
	jobs, err := e.Store.Query(ctx, store.Filter{Due: now, Brief: true})
	if err != nil {
		return 0, err
	}
	jobs = slices.DeleteFunc(jobs, func(j *job.Job) bool {
		at := j.Armed.At
		return j.HostID != e.HostID || j.Polling() && (at.IsZero() || now.Before(at))
	})
	each(len(jobs), dueAtOnce, func(i int) { e.complain(jobs[i].ID, e.Step(ctx, jobs[i].ID)) })
	return len(jobs), nil
}

// StepTriggered steps a job because of what was armed for it. Where the job waits
// no more, whoever ended that was killed before it was disarmed. changed: a path unit
// has seen a change, and can't be relied on from now on. idle: the job waits as it did.
func (e *Engine) StepTriggered(ctx context.Context, id job.ID, changed bool) (idle bool, err error) {
	began := e.now()
	if err := e.step(ctx, id, &occasion{changed: changed}); err != nil {
		return false, err
	}
	j, err := e.Store.Get(ctx, id, 1)
	if err != nil || waits(j) || j.HostID != e.HostID {
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return j != nil && waits(j) && j.Armed.Made.Before(began), err
	}
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return false, err
	}
	return false, b.Disarm(ctx, id)
}

// StepAll steps jobs that were triggered at once.
func (e *Engine) StepAll(ctx context.Context, ids []string) {
	each(len(ids), dueAtOnce, func(i int) {
		_, err := e.StepTriggered(ctx, job.ID(ids[i]), false)
		e.log(err)
	})
}

// Start ends a job's waiting: its next run starts now.
func (e *Engine) Start(ctx context.Context, id job.ID) error {
	// A run that has ended may not be recorded yet.
	if err := e.Step(ctx, id); err != nil {
		return err
	}
	err := e.Store.Update(ctx, []job.ID{id}, func(j *job.Job) error { return j.Release(e.now()) })
	if err != nil {
		return err
	}
	e.note(id, events.New(events.Info, "released"))
	return e.Step(ctx, id)
}

// addWaiting adds a waiting job that is overdue, or not armed, or would wait longer
// because the clock was set back.
func (l *overdue) addWaiting(j *job.Job, now time.Time, armed bool) bool {
	due := j.NextAt
	if j.Polling() {
		due = j.Armed.At // a check may be under way
	}
	switch {
	case !armed:
		l.unarmed = append(l.unarmed, j.ID)
	case !due.IsZero() && now.Sub(due) > patience, j.SetBack(now):
		l.steps = append(l.steps, j.ID)
	default:
		return false
	}
	return true
}
