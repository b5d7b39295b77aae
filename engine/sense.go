package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

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
func (e *Engine) sense(ctx context.Context, j *job.Job, o *job.Observation) error {
	if !j.Sensing() || len(j.Conditions) == 0 {
		return nil
	}
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
	if !e.Patient {
		return nil
	}
	due := j.PollsDue(*o)
	if due == nil {
		return nil
	}
	var checking sync.WaitGroup
	for i, c := range j.Conditions {
		if due[i] {
			checking.Go(func() { o.Checks[i] = e.Sensors.Check(ctx, j, c) })
		}
	}
	checking.Wait()
	o.Now = e.now() // the interval counts from here
	return nil
}

// logChecks notes in the job's jobman.log which of its conditions are met, or
// can't be checked, unlike before.
func (e *Engine) logChecks(before, after *job.Job) {
	var lines []byte
	stamp := e.now().Format(job.StampLayout)
	for i, c := range after.Conditions {
		was := job.Check{}
		if i < len(before.Conditions) {
			was = before.Conditions[i].Check
		}
		switch {
		case c.Error != was.Error && c.Error != "":
			lines = fmt.Appendf(lines, "%s %s %s: %s\n", stamp, c.Kind, c.Target, c.Error)
		case c.Met != was.Met && c.Met:
			lines = fmt.Appendf(lines, "%s %s %s: met %s\n", stamp, c.Kind, c.Target, c.Detail)
		case c.Met != was.Met:
			lines = fmt.Appendf(lines, "%s %s %s: no longer met %s\n", stamp, c.Kind, c.Target, c.Detail)
		}
	}
	if len(lines) == 0 {
		return
	}
	f, err := os.OpenFile(filepath.Join(e.Tree.Job(after.ID), "jobman.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(lines)
		err = errors.Join(err, f.Close())
	}
	e.log(err)
}

// dueAtOnce is how many jobs are stepped at a time whose time has come.
const dueAtOnce = 4

// Due steps the jobs whose time has come. Those that poll have a timer of their own
// each.
func (e *Engine) Due(ctx context.Context) error {
	jobs, err := e.Store.Query(ctx, store.Filter{Due: e.now(), Brief: true})
	if err != nil {
		return err
	}
	jobs = slices.DeleteFunc(jobs, func(j *job.Job) bool {
		return j.HostID != e.HostID || j.Polling()
	})
	each(len(jobs), dueAtOnce, func(i int) { e.log(e.Step(ctx, jobs[i].ID)) })
	return nil
}

// StepTriggered steps a job because of what was armed for it. Where the job waits
// no more, whoever ended that was killed before it was disarmed. rearm: what was
// armed can't be relied on from now on.
func (e *Engine) StepTriggered(ctx context.Context, id job.ID, rearm bool) error {
	if err := e.step(ctx, id, rearm); err != nil {
		return err
	}
	j, err := e.Store.Get(ctx, id, 1)
	if err != nil || waits(j) || j.HostID != e.HostID {
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return err
	}
	return b.Disarm(ctx, id)
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
	return e.Step(ctx, id)
}

// addWaiting adds a waiting job that is overdue, or not armed.
func (l *overdue) addWaiting(j *job.Job, now time.Time, armed bool) bool {
	late := !j.NextAt.IsZero() && now.Sub(j.NextAt) > patience
	switch {
	case !armed:
		l.unarmed = append(l.unarmed, j.ID)
	case late && !j.Polling():
		l.steps = append(l.steps, j.ID)
	default:
		return false
	}
	return true
}
