package engine

import (
	"context"
	"errors"
	"reflect"

	"jobman/failpoint"
	"jobman/job"
	"jobman/store"
)

// overdue is what a look at jobs has found that nobody seems to be doing.
type overdue struct {
	ended map[job.Ref]job.Observation // runs whose end is to be recorded
	steps []job.ID                    // jobs that something else is due of
}

// do does it. The errors of steps are logged, so that no job stands in another's
// way.
func (e *Engine) do(ctx context.Context, o overdue) error {
	for _, id := range o.steps {
		e.log(e.Step(ctx, id))
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
	var stale []*job.Job
	err = e.Store.Update(ctx, ids, func(j *job.Job) error {
		if j.Last() == nil {
			return store.ErrUnchanged
		}
		o, ok := seen[j.Ref()]
		if ok && j.HostID != e.HostID {
			foreign[j.Ref()] = true
		}
		if !ok || foreign[j.Ref()] {
			return store.ErrUnchanged
		}
		decided, actions := job.Decide(*j, o)
		switch {
		case decided.Completed():
			ended[j.Ref()] = len(actions) > 0
		case len(actions) > 0:
			further[j.ID] = true
		}
		if reflect.DeepEqual(decided, *j) {
			if decided.Completed() {
				stale = append(stale, &decided)
			}
			return store.ErrUnchanged
		}
		*j = decided
		return nil
	})
	if err != nil {
		return nil, err
	}
	failpoint.Hit("settled")
	for _, j := range stale {
		// Whoever committed this may have been killed before it had written it.
		e.log(e.Tree.WriteState(j))
	}
	for id := range further {
		if err := e.Step(ctx, id); err != nil {
			e.log(err)
			continue
		}
		// Somebody else may have recorded it meanwhile, and been killed.
		if j, err := e.Store.Get(ctx, id, 1); err == nil && j.Completed() {
			e.log(e.Tree.WriteState(j))
		}
	}
	for ref, forget := range ended {
		if forget {
			e.log(e.forget(ctx, ref))
		}
	}
	return foreign, nil
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
