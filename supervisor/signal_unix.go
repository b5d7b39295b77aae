//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"jobman/job"
	"jobman/store/tree"
)

// wake has the shim of a run look at what is asked of it, if it is there.
func wake(run tree.Run) (there bool, err error) {
	shim, err := shimOf(run)
	if err != nil || shim == nil {
		return false, err
	}
	return true, signal(shim, syscall.SIGUSR1)
}

// Signal implements engine.Backend. That the pid of the claim still is the
// command's is proved by its being a child of the shim, which lives.
func (s *Supervisor) Signal(_ context.Context, ref job.Ref, sig job.Signal) error {
	if sig.Number() == 0 {
		return fmt.Errorf("signal %s: %q is no signal here", ref.ID, sig)
	}
	run := s.store.Run(ref)
	pid, err := s.mainPID(ref)
	if err == nil && pid == 0 {
		return job.ErrNotRunning
	}
	var shim *os.Process
	if err == nil {
		shim, err = shimOf(run)
	}
	if err != nil {
		return fmt.Errorf("signal %s: %w", ref.ID, err)
	}
	if shim == nil {
		return job.ErrNotRunning
	}
	main, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("signal %s: %w", ref.ID, err)
	}
	if !isChild(pid, shim.Pid) {
		return job.ErrNotRunning
	}
	return signal(main, sig.Number())
}

// signal returns job.ErrNotRunning where the process is over.
func signal(p *os.Process, sig syscall.Signal) error {
	err := p.Signal(sig)
	if errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) {
		return job.ErrNotRunning
	}
	return err
}
