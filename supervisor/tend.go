package supervisor

import (
	"fmt"
	"time"

	"jobman/job"
)

// Whatever is left after its end was asked for is looked for again and again: a
// process may fork between the look at the tree and the signal, or be where no
// signal reaches it. The pause doubles from the first to the last.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// beatEvery is how often it is noted that a run lives.
const beatEvery = time.Minute

func (s *shim) beat() {
	if err := s.run.Beat(time.Now()); err != nil {
		s.complain(fmt.Errorf("note that the run lives: %w", err))
	}
}

func atOnce(how job.StopRequest) bool { return how.Grace <= 0 || how.Signal == "KILL" }

// killBy sees to it that what is left after the grace is killed. A further wish can only
// bring that forward.
func (s *shim) killBy(how job.StopRequest) {
	at := time.Now().Add(how.Grace)
	if atOnce(how) || how.Signal.Number() == 0 {
		at = time.Now()
	}
	if s.killAt.IsZero() || at.Before(s.killAt) {
		s.killAt = at
	}
}

// stopAsSpecified has what is left end as the job says that it is to be ended.
func (s *shim) stopAsSpecified() {
	s.stop(job.StopRequest{Signal: s.spec.StopSignal, Grace: time.Duration(s.spec.StopGrace)})
}

// timeOut ends a command that has taken too long, unless its end is under way.
func (s *shim) timeOut() {
	if !s.ended && s.killAt.IsZero() {
		s.exit.ServiceResult = "timeout"
		s.stopAsSpecified()
	}
}

func (s *shim) killing() bool { return !s.killAt.IsZero() && !time.Now().Before(s.killAt) }

// alarm says when there is something to do although nothing has happened.
func (s *shim) alarm(pause time.Duration) <-chan time.Time {
	if s.killAt.IsZero() {
		return nil
	}
	if !s.killing() {
		pause = min(pause, time.Until(s.killAt))
	}
	return time.After(pause)
}
