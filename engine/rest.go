package engine

import (
	"context"
	"errors"

	"jobman/job"
	"jobman/store"
)

// bringIn is for a run that has ended without an exit record: stop-post was killed,
// and may have left output where it, or a pump that was killed with it, had it.
func (e *Engine) bringIn(ctx context.Context, ref job.Ref, o job.Observation) error {
	over := o.Unit.State == job.UnitDead || o.Unit.State == job.UnitAbsent
	if e.Rest == nil || !over || o.Exit != nil || !o.Claim.Executed() {
		return nil
	}
	j, err := e.Store.Get(ctx, ref.ID, 1)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	if j.Ref() != ref || !j.Last().Active() || j.HostID != e.HostID {
		return nil
	}
	return e.Rest(j)
}
