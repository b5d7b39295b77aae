package engine

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	"jobman/events"
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
		e.note(id, events.New(events.Info, "overdue", "what", "step"))
		e.complain(id, e.Step(ctx, id))
	}
	for _, id := range o.unarmed {
		e.note(id, events.New(events.Info, "overdue", "what", "trigger"))
		e.complain(id, e.step(ctx, id, &occasion{unarmed: true}))
	}
	for ref := range o.ended {
		e.note(ref.ID, events.New(events.Info, "overdue", "what", "record", "run", ref.Run))
	}
	return e.settle(ctx, o.ended)
}

// settle records runs that ended. They lie in the inbox meanwhile: who finds them
// there after a crash writes the files that mirror the index again.
func (e *Engine) settle(ctx context.Context, ended map[job.Ref]job.Observation) error {
	for ref := range ended {
		e.complain(ref.ID, e.Tree.Drop(ref))
	}
	if _, err := e.record(ctx, ended); err != nil {
		return err
	}
	for ref := range ended {
		e.complain(ref.ID, e.Tree.Take(ref))
	}
	return nil
}

// record commits what was observed of runs that lie in the inbox, all that ended
// in one transaction. What else is due of their jobs is done in a step of each,
// whose error is logged, so that no job stands in another's way. Runs of another
// machine's jobs are left alone and returned.
func (e *Engine) record(ctx context.Context, seen map[job.Ref]job.Observation) (foreign map[job.Ref]bool, err error) {
	if len(seen) == 0 {
		return nil, nil
	}
	refs := map[job.ID][]job.Ref{}
	for ref := range seen {
		refs[ref.ID] = append(refs[ref.ID], ref)
	}
	foreign = map[job.Ref]bool{}
	for ref, o := range seen {
		e.complain(ref.ID, e.bringIn(ctx, ref, o))
		if o.LogBytes, err = e.Tree.Run(ref).LogBytes(); err != nil {
			e.log(err) // that much is not counted
		}
		seen[ref] = o
	}
	var limit job.Size
	ended, further := map[job.Ref]bool{}, map[job.ID]bool{}
	stale := map[job.Ref]int{} // how many runs back from the last
	news := map[job.ID][]events.Event{}
	tells := map[place]*job.Job{} // one job for each backend that has to deliver
	err = e.Store.Update(ctx, slices.Collect(maps.Keys(refs)), func(j *job.Job) error {
		if j.Last() == nil {
			return store.ErrUnchanged
		}
		if j.HostID != e.HostID {
			foreign[j.Ref()] = true
			return store.ErrUnchanged
		}
		limit = least(limit, j.Spec.Log.Job.MaxBytes)
		o, ok := seen[j.Ref()]
		for _, ref := range refs[j.ID] {
			// Whoever recorded this run may have been killed before its files
			// were written.
			if ref != j.Ref() || !j.Last().Active() {
				stale[ref] = j.RunCount - ref.Run + 1
			}
		}
		if !ok || !j.Last().Active() {
			further[j.ID] = !j.Completed()
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
		news[j.ID] = happened(j, &decided)
		if len(job.Told(j, &decided)) > 0 {
			tells[place{j.Backend, j.Scope}] = &decided
		}
		*j = decided
		return nil
	})
	if err != nil {
		return nil, err
	}
	failpoint.Hit("settled")
	for id, what := range news {
		e.note(id, what...)
	}
	for ref, back := range stale {
		e.complain(ref.ID, e.rewrite(ctx, ref, back))
	}
	for id, due := range further {
		if !due {
			continue
		}
		if err := e.Step(ctx, id); err != nil {
			e.complain(id, err)
			continue
		}
		// Somebody else may have recorded it meanwhile, and been killed.
		for _, ref := range refs[id] {
			e.complain(id, e.rewrite(ctx, ref, 1))
		}
	}
	for ref := range ended {
		if !further[ref.ID] { // else the job goes on
			e.stepDependents(ctx, ref.ID)
		}
	}
	for ref, forget := range ended {
		if forget {
			e.complain(ref.ID, e.forget(ctx, ref))
		}
	}
	for _, j := range tells {
		e.complain(j.ID, e.tell(ctx, j))
	}
	// Last, and while there is mail of the ends: a reaping that is killed is done
	// by whoever takes that.
	e.log(e.reapAfterEnds(ctx, limit))
	return foreign, nil
}

// rewrite writes the state files of a run that is over, and of its job, again. back
// is how many runs it is back from the last one. What a later run that is under way
// has noted in the job's file is left.
func (e *Engine) rewrite(ctx context.Context, ref job.Ref, back int) error {
	j, err := e.Store.Get(ctx, ref.ID, back)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	r := j.Run(ref.Run)
	switch {
	case r == nil || r.Active():
		return nil
	case j.Last().Active():
		return e.Tree.WriteRun(ref.ID, r)
	}
	j.Runs = []job.Run{*r}
	if err := e.Tree.WriteState(j); err != nil {
		return err
	}
	// It may have been deleted meanwhile, and must not be back.
	if _, err := e.Store.Get(ctx, ref.ID, 0); errors.Is(err, store.ErrNotFound) {
		return e.Tree.RemoveJob(ref.ID)
	}
	return nil
}

// stepDependents steps the jobs that wait for one whose run was just recorded.
func (e *Engine) stepDependents(ctx context.Context, id job.ID) {
	ids, err := e.Tree.Dependents(id)
	e.complain(id, err)
	for _, id := range ids {
		e.complain(id, e.Step(ctx, id))
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
