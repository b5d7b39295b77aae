package engine

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"jobman/failpoint"
	"jobman/job"
	"jobman/store"
)

// overdue is what a look at jobs has found that nobody seems to be doing.
type overdue struct {
	ended map[job.Ref]job.Observation // runs whose end is to be recorded
	steps []job.ID                    // jobs that something else is due of
	// Waiting jobs that nobody would step when their time has come.
	unarmed []job.ID
}

// do does it. The errors of steps are logged, so that no job stands in another's
// way.
func (e *Engine) do(ctx context.Context, o overdue) error {
	for _, id := range o.steps {
		e.log(e.Step(ctx, id))
	}
	for _, id := range o.unarmed {
		e.log(e.step(ctx, id, true))
	}
	return e.settle(ctx, o.ended)
}

// settle records runs that ended. They lie in the inbox meanwhile: who finds them
// there after a crash writes the files that mirror the index again.
func (e *Engine) settle(ctx context.Context, ended map[job.Ref]job.Observation) error {
	for ref := range ended {
		e.log(e.Tree.Drop(ref))
	}
	if _, err := e.record(ctx, ended); err != nil {
		return err
	}
	for ref := range ended {
		e.log(e.Tree.Take(ref))
	}
	return nil
}

// record commits what was observed of runs that lie in the inbox, all that ended
// in one transaction. What else is due of their jobs is done in a step of each,
// whose error is logged, so that no job stands in another's way. Runs of another
// machine's jobs are left alone and returned.
func (e *Engine) record(ctx context.Context, seen map[job.Ref]job.Observation) (foreign map[job.Ref]bool, err error) {
	ids := make([]job.ID, 0, len(seen))
	for ref := range seen {
		ids = append(ids, ref.ID)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	foreign = map[job.Ref]bool{}
	ended, further := map[job.Ref]bool{}, map[job.ID]bool{}
	stale := map[job.ID]bool{}
	err = e.Store.Update(ctx, ids, func(j *job.Job) error {
		if j.Last() == nil {
			return store.ErrUnchanged
		}
		if j.HostID != e.HostID {
			foreign[j.Ref()] = true
			return store.ErrUnchanged
		}
		o, ok := seen[j.Ref()]
		if !ok || !j.Last().Active() {
			// Whoever recorded this run may have been killed before its files
			// were written, or the next run was intended.
			stale[j.ID], further[j.ID] = true, !j.Completed()
			if j.Completed() && ok {
				_, actions := job.Decide(*j, o)
				ended[j.Ref()] = len(actions) > 0
			}
			return store.ErrUnchanged
		}
		ref := j.Ref()
		decided, actions := job.Decide(*j, o)
		if !decided.Run(ref.Run).Active() {
			ended[ref] = slices.Contains(actions, job.Forget)
			further[j.ID] = !decided.Completed()
		} else {
			further[j.ID] = len(actions) > 0
		}
		if reflect.DeepEqual(decided, *j) {
			return store.ErrUnchanged
		}
		*j = decided
		return nil
	})
	if err != nil {
		return nil, err
	}
	failpoint.Hit("settled")
	for id := range stale {
		if j, err := e.Store.Get(ctx, id, -1); err == nil {
			e.log(e.Tree.WriteState(j))
		}
	}
	for id, due := range further {
		if !due {
			continue
		}
		if err := e.Step(ctx, id); err != nil {
			e.log(err)
			continue
		}
		// Somebody else may have recorded it meanwhile, and been killed.
		if j, err := e.Store.Get(ctx, id, 1); err == nil && j.Completed() {
			e.log(e.Tree.WriteState(j))
		}
	}
	for ref := range ended {
		e.stepDependents(ctx, ref.ID)
	}
	for ref, forget := range ended {
		if forget {
			e.log(e.forget(ctx, ref))
		}
	}
	return foreign, nil
}

// stepDependents steps the jobs that wait for one whose run was just recorded.
func (e *Engine) stepDependents(ctx context.Context, id job.ID) {
	ids, err := e.Tree.Dependents(id)
	e.log(err)
	for _, id := range ids {
		e.log(e.Step(ctx, id))
	}
}

// forget has the backend drop what it still remembers of a run.
func (e *Engine) forget(ctx context.Context, ref job.Ref) error {
	j, err := e.Store.Get(ctx, ref.ID, 1)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return err
	}
	return b.Forget(ctx, []job.Ref{ref})
}
