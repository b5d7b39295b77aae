//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"jobman/failpoint"
	"jobman/job"
)

// startWithin bounds how long a shim may take to be ready.
const startWithin = 10 * time.Second

// Start implements engine.Backend. It returns when the shim holds its lock and
// has forked what becomes the command. A shim that takes longer than the context
// or startWithin allows may still do so after the error; the claim then decides,
// since who gives up the run makes it void.
func (s *Supervisor) Start(ctx context.Context, j *job.Job) error {
	run := s.store.Run(j.Ref())
	args := []string{"shim", string(run)}
	limit, _ := j.RunLimit(time.Now())
	journald := j.Last().Sink == job.SinkBoth || j.Last().Sink == job.SinkJournal
	if limit > 0 || journald {
		args = append(args, max(0, limit).String())
	}
	if journald {
		args = append(args, string(j.Last().Sink))
	}
	return s.spawn(ctx, string(run.Log()), args...)
}

// spawn starts a detached jobman and returns when it says that it is ready.
func (s *Supervisor) spawn(ctx context.Context, logFile string, args ...string) error {
	what := args[0]
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start a %s: %w", what, err)
	}
	defer log.Close()
	ready, tell, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start a %s: %w", what, err)
	}
	defer ready.Close()
	failpoint.Hit("start")
	exe, err := s.exe()
	if err != nil {
		return fmt.Errorf("start a %s: %w", what, err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = "/"
	cmd.Env = []string{} // the command's own is in its files
	cmd.Stderr = log
	cmd.ExtraFiles = []*os.File{tell} // 3, see readyFD
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	tell.Close()
	if err != nil {
		return fmt.Errorf("start a %s: %w", what, err)
	}
	// Nobody waits for it: when we end, it is another's child.
	if err := cmd.Process.Release(); err != nil {
		return fmt.Errorf("start a %s: %w", what, err)
	}
	failpoint.Hit("start-sent")
	word, err := readAll(ctx, ready)
	failpoint.Hit("started")
	switch {
	case err != nil:
		return fmt.Errorf("wait for the %s: %w", what, err)
	case len(word) == 0:
		return fmt.Errorf("the %s ended before it was ready; see %s", what, log.Name())
	case string(word) != readyWord:
		return errors.New(string(word))
	}
	return nil
}

// readAll reads what the shim says, for as long as the context and startWithin
// allow.
func readAll(ctx context.Context, ready *os.File) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(time.Now()) }) // pipes have deadlines
	defer stop()
	word, err := io.ReadAll(ready)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return word, err
}
