package supervisor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
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
	cmd, err := startApart(func(cmd *exec.Cmd) {
		cmd.Stderr = log
		giveReady(cmd, tell)
	}, exe, args...)
	tell.Close()
	if err != nil {
		return fmt.Errorf("start a %s: %w", what, err)
	}
	// Nobody waits for it: when we end, it is another's child.
	if err := cmd.Process.Release(); err != nil {
		return fmt.Errorf("start a %s: %w", what, err)
	}
	failpoint.Hit("start-sent")
	word, err := readWord(ctx, ready)
	failpoint.Hit("started")
	switch {
	case err != nil:
		return fmt.Errorf("wait for the %s: %w", what, err)
	case word == "":
		return fmt.Errorf("the %s ended before it was ready; see %s", what, log.Name())
	case word != readyWord:
		return errors.New(word)
	}
	return nil
}

// readWord reads what the shim says, for as long as the context and startWithin
// allow; "" where it has ended.
func readWord(ctx context.Context, ready *os.File) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	type read struct {
		line string
		err  error
	}
	done := make(chan read, 1)
	go func() { // pipes have no deadlines everywhere
		line, err := bufio.NewReader(ready).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		done <- read{strings.TrimSuffix(line, "\n"), err}
	}()
	select {
	case r := <-done:
		return r.line, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
