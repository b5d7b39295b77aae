package job

import (
	"slices"
	"time"
)

const (
	// soon is how shortly one change follows another where there is no end of them.
	soon = 10 * time.Second
	// idleChanges is how many such changes in a row, none of which mattered, a job is
	// armed anew for, which is a process and some units each time.
	idleChanges = 3
)

// wanted is what a waiting job is to be stepped for.
func (j *Job) wanted(o Observation) Armed {
	was := j.Armed
	a := Armed{Rev: was.Rev, Manager: o.Manager, Watches: j.WatchesFor(o)}
	a.At, a.Poll = j.times(o.Now)
	if o.Changed && slices.Equal(a.Watches, was.Watches) && o.Now.Sub(was.Made).Abs() < soon {
		a.Idle = was.Idle + 1
	}
	a.Watcher = len(a.Watches) > 0 &&
		(o.Crowded || a.Idle >= idleChanges || was.Watcher && was.Manager == o.Manager)
	return a
}

// WatchesFor returns those of the paths to watch whose conditions are not met.
func (j *Job) WatchesFor(o Observation) (watches []Watch) {
	if !j.Sensing() {
		return nil
	}
	for i := range j.Conditions {
		if i < len(o.Watches) && i < len(o.Checks) && !o.Checks[i].Met {
			watches = append(watches, o.Watches[i]...)
		}
	}
	return watches
}

// times returns when something comes of itself of a waiting job, and when what is
// polled is checked next; zero: never.
func (j *Job) times(now time.Time) (moment, poll time.Time) {
	if j.Phase == Delayed {
		return j.NextAt, time.Time{}
	}
	w := &j.Spec.Wait
	switch {
	case j.MetAt.IsZero():
		all := j.whole(Observation{Now: now})
		if !all.met {
			moment = all.at
		}
		for _, c := range j.Conditions {
			if c.Kind.Polled() {
				poll = earlier(poll, j.nextPoll(c))
			}
		}
		if all.met && !all.proved {
			// All was met, but not in one evaluation: at once, by who may take his time.
			poll = j.PolledAt()
		}
	case j.Released:
		moment = j.MetAt
	default:
		moment = later(j.MetAt, time.Duration(w.ExtraDelay))
	}
	return earlier(moment, w.AbortDatetime), poll
}

// earlier returns the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// SetBack tells whether the clock was set back to before a waiting job's delay
// began, so that it would wait longer.
func (j *Job) SetBack(now time.Time) bool {
	if j.Phase != Waiting && j.Phase != Delayed {
		return false
	}
	return now.Before(j.Since) || now.Before(j.MetAt) || j.Sensing() && slices.ContainsFunc(j.Held, now.Before)
}
