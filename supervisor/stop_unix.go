//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"jobman/events"
	"jobman/job"
)

// stop signals the tree, and sees to it that what is left after the grace is
// killed. A further wish can only bring that forward, and the same signal is not
// sent twice: to many programs a second one means to drop everything.
func (s *shim) stop(how job.StopRequest) {
	sig := how.Signal.Number()
	s.killBy(how)
	if sig == s.sent || s.killing() {
		return // the loop kills
	}
	s.sent, s.told = sig, map[int]bool{}
	s.run.Log().Add(events.New(events.Info, "signalled", "signal", how.Signal, "kill-at", s.killAt))
	left, err := members(s.main, s.run, false)
	if err != nil {
		s.complain(fmt.Errorf("look for processes: %w", err))
	}
	s.tell(left)
}

// press does what is due to what is left once its end was asked for, or the
// command has ended.
func (s *shim) press(left []process) {
	switch {
	case s.killAt.IsZero():
		s.stopAsSpecified()
	case s.killing():
		s.kill(left)
	default:
		s.tell(s.orphans(left))
	}
}

// orphans are those that were forked while the tree was being signalled, and
// escaped the signal that their parents died of. What has its parent still is
// left alone: it may be what that does to clean up.
func (s *shim) orphans(left []process) (found []process) {
	for _, p := range left {
		if p.parent == os.Getpid() && !s.told[p.pid] {
			found = append(found, p)
		}
	}
	return found
}

// tell sends processes the stop signal. What is suspended would not see one that
// it can handle, so SIGCONT follows, as from systemd: see systemd.kill(5).
func (s *shim) tell(left []process) {
	for _, sig := range []syscall.Signal{s.sent, syscall.SIGCONT} {
		for _, p := range left {
			s.told[p.pid] = true
			s.signal(p, sig)
		}
	}
}

// kill goes for the process groups first: the kernel lets no process of a group
// fork its way out of a signal to the whole of it. A group that one of the tree is
// in holds nothing else, since all of them are in sessions that began in the tree,
// see setsid(2) and setpgid(2).
func (s *shim) kill(left []process) {
	if len(left) > 0 && !s.killed {
		s.killed = true
		s.run.Log().Add(events.New(events.Info, "killed", "processes", len(left)))
	}
	groups := map[int]bool{}
	for _, p := range left {
		if !groups[p.group] {
			groups[p.group] = true
			_ = syscall.Kill(-p.group, syscall.SIGKILL) // what that can't reach is told below
		}
	}
	for _, p := range left {
		s.signal(p, syscall.SIGKILL)
	}
}

func (s *shim) signal(p process, sig syscall.Signal) {
	if err := syscall.Kill(p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		s.complain(fmt.Errorf("signal %d: %w", p.pid, err))
	}
}
