package supervisor

import (
	"context"
	"errors"
	"fmt"

	"jobman/job"
	"jobman/store/tree"
)

// wake tells whether the shim of a run is there. It notices by itself that a request has
// come.
func wake(run tree.Run) (there bool, err error) {
	_, there, err = holder(run)
	return there, err
}

// Signal implements engine.Backend: there are no signals here.
func (s *Supervisor) Signal(_ context.Context, ref job.Ref, sig job.Signal) error {
	return fmt.Errorf("signal %s with %s: %w on Windows; jobman kill ends it", ref.ID, sig, errors.ErrUnsupported)
}
