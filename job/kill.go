package job

import "errors"

// Kill errors.
var (
	// ErrRunOver: `kill run` of a run that has ended.
	ErrRunOver = errors.New("the run is over")
	// ErrNotWaiting: `start` of a job that waits for nothing.
	ErrNotWaiting = errors.New("the job waits for nothing")
	// ErrNoRun: there is no run of that number.
	ErrNoRun = errors.New("no such run")
)

// RequestKill notes the wish to end the job, or with run > 0 that run only. A
// wish that is there already is not forgotten: it keeps its time, from which on
// an end is held to be due to it, and becomes as urgent as the new one. A job
// that is completed is left as it is.
func (j *Job) RequestKill(run int, k *Kill) error {
	if run == 0 {
		if !j.Completed() {
			j.Kill = urge(j.Kill, k)
			j.stopping()
		}
		return nil
	}
	r := j.Run(run)
	switch {
	case r != nil && r.Active():
		r.Kill = urge(r.Kill, k)
		j.stopping()
		return nil
	case run <= j.RunCount:
		return ErrRunOver
	}
	return ErrNoRun
}

// stopping: a kill of a run that is known to run shows at once.
func (j *Job) stopping() {
	if r := j.Last(); r != nil && r.Active() {
		r.Phase, j.Phase = Stopping, Stopping
	}
}

func urge(old, k *Kill) *Kill {
	if old == nil {
		return k
	}
	merged := *k
	merged.At = old.At
	if old.Until.Before(k.Until) {
		merged.Until = old.Until
	}
	return &merged
}
