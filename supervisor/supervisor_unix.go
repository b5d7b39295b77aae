//go:build unix

package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"jobman/job"
	"jobman/store/tree"
)

// startWithin bounds how long a shim may take to be ready.
const startWithin = 10 * time.Second

// Supervisor is the backend. It holds nothing and is safe for concurrent use.
type Supervisor struct {
	store tree.Tree
	exe   string
}

// New returns the backend for the runs of a store. exe is the jobman that shims
// execute.
func New(store tree.Tree, exe string) *Supervisor { return &Supervisor{store, exe} }

// Manager implements engine.Backend: nothing but a new boot ends all runs.
func (s *Supervisor) Manager(context.Context) (string, error) {
	id, err := bootID()
	if err != nil {
		return "", fmt.Errorf("find the boot's id: %w", err)
	}
	return id, nil
}

// Start implements engine.Backend. It returns when the shim holds its lock.
func (s *Supervisor) Start(_ context.Context, j *job.Job) error {
	run := s.store.Run(j.Ref())
	log, err := os.OpenFile(run.File("jobman.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start a shim: %w", err)
	}
	defer log.Close()
	ready, tell, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start a shim: %w", err)
	}
	defer ready.Close()
	cmd := exec.Command(s.exe, "shim", string(run))
	cmd.Dir = "/"
	cmd.Env = []string{} // the command's own is in its files
	cmd.Stderr = log
	cmd.ExtraFiles = []*os.File{tell} // 3, see readyFD
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	tell.Close()
	if err != nil {
		return fmt.Errorf("start a shim: %w", err)
	}
	// Nobody waits for it: when we end, it is another's child.
	if err := cmd.Process.Release(); err != nil {
		return fmt.Errorf("start a shim: %w", err)
	}
	if err := ready.SetReadDeadline(time.Now().Add(startWithin)); err != nil {
		return fmt.Errorf("wait for the shim: %w", err)
	}
	word, err := io.ReadAll(ready)
	switch {
	case err != nil:
		return fmt.Errorf("wait for the shim: %w", err)
	case len(word) == 0:
		return fmt.Errorf("the shim ended before it was ready; see %s", log.Name())
	case string(word) != readyWord:
		return errors.New(string(word))
	}
	return nil
}

// Observe implements engine.Backend. There is no memory of the dead here: their
// records are all there is.
func (s *Supervisor) Observe(_ context.Context, runs []job.Ref) (map[job.Ref]job.Unit, error) {
	seen := make(map[job.Ref]job.Unit, len(runs))
	for _, ref := range runs {
		pid, err := holder(s.store.Run(ref).File(lockName))
		if err != nil {
			return nil, fmt.Errorf("look for the shim of %s: %w", ref.ID, err)
		}
		u := job.Unit{State: job.UnitAbsent}
		if pid != 0 {
			u.State = job.UnitLive
		}
		seen[ref] = u
	}
	return seen, nil
}

// Stop implements engine.Backend.
func (s *Supervisor) Stop(_ context.Context, ref job.Ref, how job.StopRequest) error {
	run := s.store.Run(ref)
	b, err := json.Marshal(how)
	if err != nil {
		return err
	}
	if err := tree.WriteFile(run.File(stopName), b); err != nil {
		return fmt.Errorf("ask for the end of %s: %w", ref.ID, err)
	}
	return s.poke(run)
}

// poke makes the shim, if there is one, look at what is asked of it.
func (s *Supervisor) poke(run tree.Run) error {
	pid, err := holder(run.File(lockName))
	if err != nil || pid == 0 {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal the shim: %w", err)
	}
	return nil
}

// Signal implements engine.Backend. That the pid is the command's is proved by
// its being a child of the shim, which lives.
func (s *Supervisor) Signal(_ context.Context, ref job.Ref, sig job.Signal) error {
	run := s.store.Run(ref)
	claim, err := run.ReadClaim()
	if err != nil {
		return err
	}
	shim, err := holder(run.File(lockName))
	if err != nil {
		return err
	}
	if shim == 0 || !claim.Executed() || !isChild(claim.PID, shim) {
		return job.ErrNotRunning
	}
	err = syscall.Kill(claim.PID, sig.Number())
	if errors.Is(err, syscall.ESRCH) {
		return job.ErrNotRunning
	}
	return err
}

// Forget implements engine.Backend: nothing is remembered.
func (s *Supervisor) Forget(context.Context, []job.Ref) error { return nil }

// Close implements engine.Backend.
func (s *Supervisor) Close() error { return nil }
