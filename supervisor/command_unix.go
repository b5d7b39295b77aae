//go:build unix

package supervisor

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"jobman/job"
	"jobman/journal"
)

// start starts `jobman exec` and the pump. keep waits until all of the output was
// kept, once nothing is left that could print.
func (s *shim) start() (keep func() error, err error) {
	if s.spec, err = s.run.Spec(); err != nil {
		return nil, err
	}
	if err := becomeSubreaper(); err != nil {
		return nil, fmt.Errorf("become a subreaper: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	if s.sink == job.SinkJournal {
		return s.startJournal(exe, null)
	}
	files := []uintptr{null.Fd(), null.Fd(), null.Fd()}
	out, err := s.pipes()
	if err != nil {
		return nil, err
	}
	defer out.handedOver()
	for i, w := range out.ends {
		if w != nil {
			files[1+i] = w.Fd()
		}
	}
	opt := journal.OptionsFor(&s.spec.Log)
	if s.sink == job.SinkBoth {
		origin, err := s.origin()
		if err != nil {
			return nil, err
		}
		opt.Copy = &origin
	}
	if err := s.fork(exe, files, "exec", string(s.run)); err != nil {
		return nil, err
	}
	return out.pump(s.run.Logs(), opt), nil
}

// startJournal starts a command whose output goes to journald alone: exec connects
// it, and at the end journald is told.
func (s *shim) startJournal(exe string, null *os.File) (keep func() error, err error) {
	origin, err := s.origin()
	if err != nil {
		return nil, err
	}
	files := []uintptr{null.Fd(), null.Fd(), null.Fd()}
	if err := s.fork(exe, files, "exec", string(s.run), string(job.SinkJournal)); err != nil {
		return nil, err
	}
	return func() error {
		claim, err := s.run.ReadClaim()
		if err != nil || claim == nil {
			return err
		}
		return journal.EndStreams(context.Background(), origin, claim.Identifier)
	}, nil
}

func (s *shim) origin() (journal.Origin, error) {
	_, ref, err := s.run.Locate()
	return journal.NewOrigin(ref, s.spec), err
}

// fork starts jobman, which becomes the command.
func (s *shim) fork(exe string, files []uintptr, args ...string) (err error) {
	s.main, err = syscall.ForkExec(exe, append([]string{exe}, args...), &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"INVOCATION_ID=" + s.exit.InvocationID},
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		s.main = 0
		return fmt.Errorf("execute jobman: %w", err)
	}
	return nil
}
