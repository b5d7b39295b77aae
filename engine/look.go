package engine

import (
	"context"
	"errors"
	"maps"
	"time"

	"jobman/events"
	"jobman/failpoint"
	"jobman/job"
)

// Look returns the jobs as they are now. What the store calls active is held
// against the backend and the runs' own records, so that nothing is called
// running that is not. What nobody seems to be doing is done on the way, so a job
// that is returned as completed may be recorded a moment later. A job of another
// machine is returned as of that machine.
func (e *Engine) Look(ctx context.Context, jobs []*job.Job) ([]*job.Job, error) {
	seen, err := e.units(ctx, jobs)
	if err != nil {
		return nil, err
	}
	out := make([]*job.Job, len(jobs))
	observed := make([]job.Observation, len(jobs))
	var late overdue
	var done []int // of those jobs
	for i, j := range jobs {
		if out[i] = j; !e.mayRun(j) {
			if waits(j) && j.HostID == e.HostID && late.addWaiting(j, e.now(), true) {
				done = append(done, i)
			}
			continue
		}
		o := e.observation()
		o.Unit = seen[j.Ref()]
		if err := e.complete(ctx, j, &o); err != nil {
			return nil, err
		}
		decided, actions := job.Decide(*j, o)
		now := job.Observed(*j, o)
		if !decided.Run(j.Last().N).Active() {
			now = decided // shown also where it can't be written
		}
		out[i], observed[i] = &now, o
		if late.add(j, &decided, actions, o) {
			done = append(done, i)
		}
	}
	if err := e.do(ctx, late); err != nil {
		e.log(err) // looking needs no right to write
		return out, nil
	}
	for _, i := range done {
		if fresh, err := e.Store.Get(ctx, jobs[i].ID, len(jobs[i].Runs)); err == nil {
			o := observed[i]
			if !e.mayRun(fresh) || jobs[i].Last() == nil || fresh.Ref() != jobs[i].Ref() {
				out[i] = fresh
				continue
			}
			now := job.Observed(*fresh, job.Observation{Now: e.now(), Unit: o.Unit, Claim: o.Claim})
			out[i] = &now
		}
	}
	return out, nil
}

// patience is how long whoever has something to do gets to do it: a submission
// to start what it has committed, a step to take in a run that ended. A hundred
// commands at once that looked on must not all do it for them.
const patience = 5 * time.Second

// add takes up what is to be done of a job, if nobody seems to be doing it, and
// returns whether there was anything. A signal of the user's choice is not sent
// again because somebody looks.
func (l *overdue) add(j, decided *job.Job, actions []job.Action, o job.Observation) bool {
	if r := decided.Run(j.Last().N); r != nil && !r.Active() {
		if o.Exit != nil && o.Now.Sub(o.Exit.At).Abs() <= patience {
			return false
		}
		if l.ended == nil {
			l.ended = map[job.Ref]job.Observation{}
		}
		l.ended[j.Ref()] = o
		return true
	}
	for _, a := range actions {
		switch {
		case a == job.Stop && j.Killing().Custom && o.Now.Before(j.Killing().Until):
		case a == job.Start && o.Now.Sub(j.Last().IntendedAt).Abs() <= patience:
		default:
			l.steps = append(l.steps, j.ID)
			return true
		}
	}
	return false
}

// mayRun tells whether a run of the job may be under way here.
func (e *Engine) mayRun(j *job.Job) bool {
	r := j.Last()
	return r != nil && r.Active() && j.HostID == e.HostID
}

// place is a backend by its name and scope.
type place struct{ backend, scope string }

// units asks every backend concerned once. What is known is returned beside the
// error of those that could not be asked.
func (e *Engine) units(ctx context.Context, jobs []*job.Job) (map[job.Ref]job.Unit, error) {
	asked := map[place][]job.Ref{}
	for _, j := range jobs {
		if e.mayRun(j) {
			w := place{j.Backend, j.Scope}
			asked[w] = append(asked[w], j.Ref())
		}
	}
	seen := map[job.Ref]job.Unit{}
	var errs []error
	for w, refs := range asked {
		b, err := e.Backend(w.backend, w.scope)
		if err == nil {
			var units map[job.Ref]job.Unit
			units, err = b.Observe(ctx, refs)
			maps.Copy(seen, units)
		}
		if err != nil {
			errs = append(errs, &BackendError{err})
		}
	}
	return seen, errors.Join(errs...)
}

// Kill commits the wish to end jobs, and carries it out as far as that can be
// done at once. With run the wish is for that run only, and the job must be in
// it. Jobs that are over are left as they are.
func (e *Engine) Kill(ctx context.Context, id job.ID, run int, sig job.Signal) error {
	var asked events.Event
	err := e.Store.Update(ctx, []job.ID{id}, func(j *job.Job) error {
		now := e.now()
		k := &job.Kill{At: now, Signal: sig, Until: now.Add(time.Duration(j.Spec.StopGrace))}
		if k.Signal == "" {
			k.Signal = j.Spec.StopSignal
		}
		if k.Signal == "KILL" {
			k.Until = now
		}
		k.Custom = k.Signal != j.Spec.StopSignal && k.Signal != "KILL"
		asked = events.New(events.Info, "kill", "run", count(run), "signal", k.Signal, "until", k.Until)
		return j.RequestKill(run, k)
	})
	if err != nil {
		return err
	}
	e.note(id, asked)
	failpoint.Hit("kill-committed")
	return e.Step(ctx, id)
}
