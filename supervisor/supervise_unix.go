//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"jobman/job"
)

// settledAfter is when a run is held to be a long one, and its shim makes itself
// small.
const settledAfter = time.Second

// tending is what it takes to see to the processes of a run.
type tending struct {
	pokes    <-chan os.Signal
	children <-chan os.Signal // some have ended
	cpu      time.Duration    // of all that were reaped
	sent     syscall.Signal   // the stop signal that the tree was told last
	told     map[int]bool     // the pids that were
	killed   bool             // what is left was sent SIGKILL
}

func (s *shim) listen() error {
	s.pokes, s.children = listen()
	return nil
}

// supervise waits for the end of the command and then of all that it started. As
// under systemd (KillMode=control-group), what the command leaves behind is
// stopped.
func (s *shim) supervise() {
	settled := time.After(settledAfter)
	heart := time.NewTicker(beatEvery)
	defer heart.Stop()
	var late <-chan time.Time
	if s.limit > 0 {
		late = time.After(s.limit)
	}
	pause := firstPause
	for {
		childless := s.reap()
		if s.ended || !s.killAt.IsZero() {
			left, err := members(s.main, s.run, childless)
			if err != nil {
				s.complain(fmt.Errorf("look for processes: %w", err))
			} else if s.ended && len(left) == 0 {
				seconds := s.cpu.Seconds()
				s.exit.CPUSeconds = &seconds
				return
			}
			s.press(left)
		}
		select {
		case <-s.pokes:
			s.takeUp()
			pause = firstPause
		case <-s.children:
		case <-s.alarm(pause):
			pause = min(2*pause, lastPause)
		case <-heart.C:
			s.beat()
		case <-late:
			s.timeOut()
		case <-settled:
			giveBack()
		}
	}
}

// reap takes in all children that have ended, and tells whether none is left.
// Nothing else here waits for a child, so until the next call a child's pid is
// that child's.
func (s *shim) reap() (childless bool) {
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, &usage)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return errors.Is(err, syscall.ECHILD)
		case pid == 0:
			return false
		}
		// With what it had waited for itself. A shim that the command started
		// and that has ended by now comes with its whole run.
		s.cpu += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		if pid == s.main {
			s.ended = true
			s.exit.At, s.exit.StopQueued = time.Now().UTC(), s.stopping
			// Of the largest of its processes. `jobman exec`, which became the
			// command, counts as well: it is never less than some megabytes.
			peak := int64(usage.Maxrss) * rssUnit //nolint:unconvert // it is an int32 on some
			s.exit.MemoryPeak = &peak
			describe(status, &s.exit)
		}
	}
}

func describe(status syscall.WaitStatus, exit *job.Exit) {
	if status.Signaled() {
		exit.Signal = job.SignalName(status.Signal())
		return
	}
	code := status.ExitStatus()
	exit.Code = &code
}
