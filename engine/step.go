package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"jobman/failpoint"
	"jobman/job"
	"jobman/store"
)

// maxRounds bounds a step; more means that deciding and acting contradict each
// other.
const maxRounds = 20

// Step does what is due of a job. A job that is not there, or is another
// machine's, is nobody's business.
func (e *Engine) Step(ctx context.Context, id job.ID) error { return e.step(ctx, id, &occasion{}) }

func (e *Engine) step(ctx context.Context, id job.ID, why *occasion) error {
	defer why.end()
	ask := false
	for range maxRounds {
		j, err := e.Store.Get(ctx, id, 1)
		if errors.Is(err, store.ErrNotFound) || err == nil && j.HostID != e.HostID {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := e.observe(ctx, j, ask || waits(j), why)
		if err != nil {
			return err
		}
		decided, actions := job.Decide(*j, o)
		failpoint.Hit("decided")
		if ends := j.Last() != nil && j.Last().Active() && !decided.Run(j.Last().N).Active(); ends {
			return e.settle(ctx, map[job.Ref]job.Observation{j.Ref(): o})
		}
		if !reflect.DeepEqual(decided, *j) {
			again := false
			err := e.Store.Update(ctx, []job.ID{id}, func(now *job.Job) error {
				// Somebody else may have stepped it meanwhile.
				if again = !reflect.DeepEqual(now, j); again {
					return store.ErrUnchanged
				}
				*now = decided
				return nil
			})
			if err != nil {
				return err
			}
			if again {
				continue
			}
			e.note(id, happened(j, &decided)...)
			if len(job.Told(j, &decided)) > 0 {
				defer func() { e.complain(id, e.tell(ctx, &decided)) }()
			}
		}
		failpoint.Hit("intended")
		ask, err = e.act(ctx, &decided, actions)
		if errors.Is(err, job.ErrUnwatched) {
			why.unwatched = decided.Armed.Rev
			continue
		}
		if err != nil {
			return err
		}
		failpoint.Hit("acted")
		// What is armed may have come meanwhile, and a trigger that came while
		// this is running was lost.
		if !ask && !slices.Contains(actions, job.Void) && !slices.Contains(actions, job.Arm) {
			return nil
		}
		why.unarmed, why.changed = false, false
	}
	return fmt.Errorf("job %s does not settle", id)
}

// waits tells whether a job waits for something else than its current run.
func waits(j *job.Job) bool { return j.Phase == job.Waiting || j.Phase == job.Delayed }

// observe looks at the job's current run. The records are read after the unit
// was asked for: a run that ended between the two has left them by then.
func (e *Engine) observe(ctx context.Context, j *job.Job, ask bool, why *occasion) (job.Observation, error) {
	o := e.observation()
	r := j.Last()
	active := r != nil && r.Active()
	if ask {
		b, err := e.Backend(j.Backend, j.Scope)
		if err != nil {
			return o, err
		}
		if o.Manager, err = b.Manager(ctx); err != nil {
			return o, &BackendError{err}
		}
		o.Journald = e.journald()
		if active {
			seen, err := b.Observe(ctx, []job.Ref{j.Ref()})
			if err != nil {
				return o, &BackendError{err}
			}
			o.Unit = seen[j.Ref()]
		}
	}
	if active {
		if err := e.complete(ctx, j, &o); err != nil {
			return o, err
		}
	}
	if err := e.sense(ctx, j, &o, why); err != nil || !waits(j) {
		return o, err
	}
	o.Changed = why.changed && !j.Armed.Watcher
	unwatched := why.unwatched > 0 && why.unwatched == j.Armed.Rev && !j.Armed.Watcher
	if o.Unarmed = why.unarmed || o.Changed || unwatched; unwatched {
		o.Crowded = true
		return o, nil
	}
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return o, err
	}
	return o, e.crowd(ctx, b, j, &o)
}

// complete adds the run's records to an observation of its unit. Where they say
// that it was executed and not how it ended, and there was no live unit, it may
// have been about to start when the unit was asked for: then that is done again.
// Whoever was executed before that and has neither unit nor record is lost.
func (e *Engine) complete(ctx context.Context, j *job.Job, o *job.Observation) error {
	if err := e.records(j.Ref(), o); err != nil {
		return err
	}
	if o.Unit.State != job.UnitAbsent && o.Unit.State != job.UnitDead || !o.Claim.Executed() || o.Exit != nil {
		return nil
	}
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return err
	}
	seen, err := b.Observe(ctx, []job.Ref{j.Ref()})
	if err != nil {
		return &BackendError{err}
	}
	o.Unit = seen[j.Ref()]
	return e.records(j.Ref(), o)
}

// records reads what the run left in its directory.
func (e *Engine) records(ref job.Ref, o *job.Observation) (err error) {
	run := e.Tree.Run(ref)
	// The exit record first: who leaves it has made sure of the claim before.
	if o.Exit, err = run.ReadExit(); err != nil {
		return fmt.Errorf("read the exit record of %s: %w", ref.ID, err)
	}
	if o.Claim, err = run.ReadClaim(); err != nil {
		return fmt.Errorf("read the claim of %s: %w", ref.ID, err)
	}
	if o.Unit.Main != nil && o.Unit.Main.StartError == "" {
		// stop-post could not tell, so exec's own word is looked for.
		o.Unit.Main.StartError, err = run.StartError()
	}
	return err
}
