package engine

import (
	"context"
	"errors"
	"reflect"

	"jobman/job"
	"jobman/store"
)

// settle records what was observed of runs: all that ended in one transaction.
// What else is due of their jobs is done in a step of each, whose error is
// logged, so that no job stands in another's way. Runs of another machine's jobs
// are left alone and returned.
func (e *Engine) settle(ctx context.Context, seen map[job.Ref]job.Observation) (foreign map[job.Ref]bool, err error) {
	if len(seen) == 0 {
		return nil, nil
	}
	ids := make([]job.ID, 0, len(seen))
	for ref := range seen {
		ids = append(ids, ref.ID)
	}
	foreign = map[job.Ref]bool{}
	ended, further := map[job.Ref]bool{}, map[job.ID]bool{}
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
			return store.ErrUnchanged
		}
		*j = decided
		return nil
	})
	if err != nil {
		return nil, err
	}
	for id := range further {
		if err := e.Step(ctx, id); err != nil {
			e.log(err)
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
