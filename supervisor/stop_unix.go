//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"jobman/job"
)

// stop signals the tree, and sees to it that what is left after the grace is
// killed. A further wish can only bring that forward, and the same signal is not
// sent twice: to many programs a second one means to drop everything.
func (s *shim) stop(how job.StopRequest) {
	sig, at := how.Signal.Number(), time.Now().Add(how.Grace)
	if how.Grace <= 0 || sig == 0 || sig == syscall.SIGKILL {
		sig, at = syscall.SIGKILL, time.Now()
	}
	if s.killAt.IsZero() || at.Before(s.killAt) {
		s.killAt = at
	}
	if sig == s.sent || s.killing() {
		return // the loop kills
	}
	s.sent = sig
	left, err := members(s.main, s.run, false)
	if err != nil {
		s.complain(fmt.Errorf("look for processes: %w", err))
	}
	s.send(left, sig)
	// What is stopped would not see a signal that it can handle; systemd does
	// the same, see SendSIGHUP= and KillMode= in systemd.kill(5).
	s.send(left, syscall.SIGCONT)
}

// send signals processes of the tree. SIGKILL goes to their process groups first:
// the kernel lets no process of a group fork its way out of a signal to the whole
// of it. A group that one of the tree is in holds nothing else, since all of them
// are in sessions that began in the tree, see setsid(2) and setpgid(2).
func (s *shim) send(left []process, sig syscall.Signal) {
	if sig == syscall.SIGKILL {
		done := map[int]bool{}
		for _, p := range left {
			if !done[p.group] {
				done[p.group] = true
				_ = syscall.Kill(-p.group, sig) // what can't be signalled is told below
			}
		}
	}
	for _, p := range left {
		if err := syscall.Kill(p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			s.complain(fmt.Errorf("signal %d: %w", p.pid, err))
		}
	}
}
