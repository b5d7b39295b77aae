package job

import (
	"fmt"
	"time"
)

// An unlimited rerun without delay, of a command that ends at once, is given a
// pause, so that it does not take the machine for itself.
const (
	quick      = time.Second // a run that lasted less ends at once
	quickRuns  = 10          // so many of them in a row are free
	quickPause = time.Second
)

// settle decides what a run's end means for its job: the job's own end, or
// another run and when.
func (j *Job) settle(o Observation) {
	r := j.Last()
	policy := &j.Spec.Retries
	rerun := r.Reason == ReasonLost && j.Spec.OnReboot == OnRebootRerun && o.rebooted(r)
	switch {
	case rerun:
		j.Uncounted++
	case r.Result == Success:
		j.SuccessCount++
	case r.Result == Failure, r.Result == Killed:
		j.FailureCount++
	}
	if r.StoppedAt.IsZero() {
		r.StoppedAt = o.Now
	}
	r.LogBytes = o.LogBytes
	if keep := j.Spec.Log.Job.MaxRuns; keep > 0 {
		j.ReapedRuns = max(j.ReapedRuns, r.N-keep)
	}
	if r.StartedAt.IsZero() || r.StoppedAt.Sub(r.StartedAt).Abs() < quick {
		j.QuickRuns++
	} else {
		j.QuickRuns = 0
	}
	end := func(result Result, reason Reason, message string) { j.end(result, reason, message, r.StoppedAt) }
	as := func(reason Reason, message string) { j.endAs(r, reason, message, r.StoppedAt) }
	if j.Kill != nil && r.Result == Killed {
		end(Killed, ReasonKilled, r.Message)
		return
	}
	switch {
	case reached(j.SuccessCount, policy.NumSuccesses):
		end(Success, r.Reason, r.Message)
		return
	case reached(j.FailureCount, policy.NumFailures):
		as(r.Reason, r.Message)
		return
	case r.Reason == ReasonJobTimeout:
		end(Failure, ReasonJobTimeout, r.Message)
		return
	case reached(j.RunCount-j.Uncounted, policy.numRuns()):
		as(r.Reason, r.Message)
		return
	}
	delay := policy.delay(r.N, o.Random)
	if rerun {
		delay = 0
	} else if policy.numRuns() == -1 && policy.noDelay() && j.QuickRuns >= quickRuns {
		delay = quickPause
	}
	next := later(r.StoppedAt, delay)
	if abort := policy.AbortDatetime; !abort.IsZero() && next.After(abort) {
		as(ReasonRetryAbort, fmt.Sprintf("run %d would start after %s; the last one %s", r.N+1, abort.Format(time.RFC3339), r.Message))
		return
	}
	if deadline := j.deadline(); !deadline.IsZero() && !next.Before(deadline) {
		end(Failure, ReasonJobTimeout, fmt.Sprintf("run %d would start when the job's time of %s is over; the last one %s", r.N+1, j.Spec.Timeout.Job, r.Message))
		return
	}
	if j.Kill != nil {
		// The run kept its own result, but the job ends here.
		end(Killed, ReasonKilled, "killed before its next run; the last one "+r.Message)
		return
	}
	j.Phase, j.Since, j.NextAt = Delayed, r.StoppedAt, next
}

// endAs ends a job after a run, where a limit is reached that is no target.
func (j *Job) endAs(r *Run, reason Reason, message string, at time.Time) {
	if wanted := j.Spec.Retries.NumSuccesses; wanted > 0 && r.Result != Killed && (j.RunCount > 1 || r.Result == Success) {
		runs := "1 run"
		if j.RunCount > 1 {
			runs = fmt.Sprintf("%d runs", j.RunCount)
		}
		message = fmt.Sprintf("%d of %d successes in %s; %s", j.SuccessCount, wanted, runs, lastRun(r, message))
	}
	switch {
	case r.Result == Killed:
		j.end(Killed, ReasonKilled, r.Message, at)
	case j.Spec.Retries.NumSuccesses > 0:
		j.end(Failure, reason, message, at)
	default:
		j.end(r.Result, reason, message, at)
	}
}

// lastRun says that a message is about the last run, if it is that run's own.
func lastRun(r *Run, message string) string {
	if message == r.Message {
		return "the last one " + message
	}
	return message
}

// repeat decides about a job between two runs. It returns whether the next one
// is to start now.
func (j *Job) repeat(o Observation) (start bool) {
	if o.Now.Before(j.Since) { // the clock was set back
		j.NextAt = later(o.Now, j.NextAt.Sub(j.Since))
		j.Since = o.Now
	}
	r := j.Last()
	if abort := j.Spec.Retries.AbortDatetime; !abort.IsZero() && o.Now.After(abort) {
		j.endAs(r, ReasonRetryAbort, fmt.Sprintf("run %d had not started by %s", r.N+1, abort.Format(time.RFC3339)), o.Now)
		return false
	}
	if deadline := j.deadline(); !deadline.IsZero() && !o.Now.Before(deadline) {
		j.end(Failure, ReasonJobTimeout, fmt.Sprintf("the job's time of %s is over", j.Spec.Timeout.Job), o.Now)
		return false
	}
	return !o.Now.Before(j.NextAt)
}

// deadline is when the job's time is over; zero: never, or not known yet.
func (j *Job) deadline() time.Time {
	if j.Spec.Timeout.Job <= 0 || j.StartedAt.IsZero() {
		return time.Time{}
	}
	return later(j.StartedAt, time.Duration(j.Spec.Timeout.Job))
}

// RunLimit is how long the current run may take if it starts now, or took at most
// that started then, and whether that is the job's limit rather than the run's; 0:
// as long as it wants.
func (j *Job) RunLimit(now time.Time) (limit time.Duration, ofJob bool) {
	limit = time.Duration(j.Spec.Timeout.Run)
	rest := time.Duration(j.Spec.Timeout.Job)
	if rest <= 0 {
		return limit, false
	}
	if deadline := j.deadline(); !deadline.IsZero() {
		rest = min(rest, max(time.Millisecond, deadline.Sub(now)))
	}
	if limit <= 0 || rest < limit {
		return rest, true
	}
	return limit, false
}

// rebooted tells whether the manager that had the run is gone, or going.
func (o *Observation) rebooted(r *Run) bool {
	return o.Exit != nil && o.Exit.Shutdown() || o.Manager != "" && o.Manager != r.Manager
}
