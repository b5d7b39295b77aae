package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"jobman/failpoint"
	"jobman/job"
	"jobman/store/tree"
)

// Supervisor is the backend. It holds nothing and is safe for concurrent use.
type Supervisor struct {
	store tree.Tree
	exe   func() (string, error)
}

// New returns the backend for the runs of a store. exe says where the jobman is that
// shims and the ticker are, when one is started.
func New(store tree.Tree, exe func() (string, error)) *Supervisor { return &Supervisor{store, exe} }

// Manager implements engine.Backend: nothing but a new boot ends all runs.
func (s *Supervisor) Manager(context.Context) (string, error) {
	id, err := bootID()
	if err == nil && id == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", fmt.Errorf("find the boot's id: %w", err)
	}
	return id, nil
}

// Observe implements engine.Backend. There is no memory of the dead here: their
// records are all there is.
func (s *Supervisor) Observe(_ context.Context, runs []job.Ref) (map[job.Ref]job.Unit, error) {
	seen := make(map[job.Ref]job.Unit, len(runs))
	for _, ref := range runs {
		u, err := s.observe(ref)
		if err != nil {
			return nil, fmt.Errorf("look for the shim of %s: %w", ref.ID, err)
		}
		seen[ref] = u
	}
	return seen, nil
}

func (s *Supervisor) observe(ref job.Ref) (u job.Unit, err error) {
	run := s.store.Run(ref)
	live := func() (bool, error) {
		_, held, err := holder(run)
		if !held || err != nil {
			return false, err
		}
		u.State = job.UnitLive
		u.Stopping = exists(run.File(stopName+taken)) || exists(run.File(killName+taken))
		u.PID, err = s.mainPID(ref)
		return true, err
	}
	u.State = job.UnitAbsent
	if held, err := live(); held || err != nil {
		return u, err
	}
	pid, err := s.mainPID(ref)
	if err != nil || pid == 0 || exists(run.File("exit")) {
		return u, err
	}
	left, err := strays(ref)
	if err != nil || len(left) == 0 {
		return u, err
	}
	release(left)
	// It may have begun after the first look.
	if held, err := live(); !held && err == nil && !exists(run.File("exit")) {
		u.State, u.PID = job.UnitStray, pid
	}
	return u, err
}

// mainPID returns the pid that was the command's when it was executed, or 0.
func (s *Supervisor) mainPID(ref job.Ref) (int, error) {
	claim, err := s.store.Run(ref).ReadClaim()
	if err != nil || !claim.Executed() {
		return 0, err
	}
	return claim.PID, nil
}

// Stop implements engine.Backend. The request stays in its file, so a shim that
// is only just being started finds it.
func (s *Supervisor) Stop(_ context.Context, ref job.Ref, how job.StopRequest) error {
	run := s.store.Run(ref)
	exit, err := run.ReadExit()
	if err != nil || exit != nil {
		return err // over
	}
	b, err := json.Marshal(how)
	if err != nil {
		return err
	}
	name := stopName
	if atOnce(how) {
		name = killName
	}
	failpoint.Hit("stop")
	err = tree.WriteFile(run.File(name), b)
	failpoint.Hit("stop-asked")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted with its job, or never there
	}
	if err != nil {
		return fmt.Errorf("ask for the end of %s: %w", ref.ID, err)
	}
	there, err := wake(run)
	if err == nil && !there {
		err = endStrays(ref)
	}
	if err != nil && !errors.Is(err, job.ErrNotRunning) {
		return fmt.Errorf("ask for the end of %s: %w", ref.ID, err)
	}
	return nil
}

// Forget implements engine.Backend: nothing is remembered.
func (s *Supervisor) Forget(context.Context, []job.Ref) error { return nil }

// Close implements engine.Backend.
func (s *Supervisor) Close() error { return nil }

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
