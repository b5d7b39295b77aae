package job

import (
	"fmt"
	"slices"
	"time"
)

// Action is what Decide asks the engine to do about the job's current run. The
// job that Decide returns holds the intent of it, so an action that is not
// carried out is asked for again by the next decision.
type Action uint8

// The actions.
const (
	Start  Action = 1 // have the backend start the run
	Stop   Action = 2 // have the backend end the run, as Killing says
	Void   Action = 3 // claim the run, so that it can't be executed, and look again
	Forget Action = 4 // drop what the service manager remembers of the run
	Ask    Action = 5 // observe the unit: the records alone don't tell
	Arm    Action = 6 // have the backend step the job when Armed says
	Disarm Action = 7 // the job waits for nothing any more
	Finish Action = 8 // SIGKILL to what is left of a run whose time is over
)

// Decide is the whole policy: given a job and what was observed of its current
// run, it returns what the job becomes and what is to be done. It is pure; the
// engine commits the job it returns before it acts, and observes and decides
// again after it acted, until nothing is left to do.
//
// What an active run's records and unit mean (docs/design.md, "Exactly once"):
//
//	exit record  unit          claim              means
//	there        any           there              it ended, as recorded
//	there        any           void               never executed: start-failed
//	no           live          any                it runs, or is about to
//	no           dead          there              it ended; the manager knows how
//	no           dead          no                 never executed: start-failed, or
//	                                              started again if it was Unsettled
//	no           stray         there              lost, once what is left was ended
//	no           absent        there              lost
//	no           absent        no                 never executed: start it
func Decide(j Job, o Observation) (Job, []Action) {
	j.Runs = slices.Clone(j.Runs)
	if j.Phase == Done {
		return j, forgetDead(o)
	}
	r := j.Last()
	if r == nil || !r.Active() {
		return next(j, o)
	}
	absorb(&j, o)
	kill := j.Killing()
	executed := o.Claim.Executed()
	switch {
	case o.Claim != nil && o.Claim.Void != "":
		j.concludeVoid(o, kill)
	case o.Exit != nil:
		j.conclude(*o.Exit, kill)
	case o.Unit.State == UnitUnknown:
		return j, []Action{Ask}
	case o.Unit.State == UnitLive && kill != nil && (!o.Unit.Stopping || !o.Now.Before(kill.Until)):
		return j, []Action{Stop}
	case o.Unit.State == UnitLive && o.Unit.Stopping && j.overstayed(o.Now):
		return j, []Action{Finish}
	case o.Unit.State == UnitLive:
		return j, nil
	case o.Unit.State == UnitStray:
		return j, []Action{Finish, Ask}
	case o.Unit.State == UnitDead && executed && o.Unit.Main != nil && o.Unit.Main.InvocationID == o.Claim.InvocationID:
		j.conclude(*o.Unit.Main, kill)
	case executed && o.Manager == "" && j.Spec.OnReboot == OnRebootRerun:
		return j, []Action{Ask}
	case executed:
		r.end(Failure, ReasonLost, "nobody can say how it ended", o.Now)
	case o.Unit.State == UnitDead && kill == nil && o.Unit.Main.Unsettled() && r.Restarts < maxRestarts:
		r.Restarts++
		r.Manager = o.Manager
		return j, []Action{Forget, Start}
	case o.Unit.State == UnitDead, kill != nil:
		return j, []Action{Void}
	default:
		r.Manager = o.Manager
		return j, []Action{Start}
	}
	j.settle(o)
	return j, forgetDead(o)
}

// maxRestarts is how often a run is started again that was Unsettled.
const maxRestarts = 10

func forgetDead(o Observation) []Action {
	if o.Unit.State == UnitDead || o.Exit != nil && o.Exit.ServiceResult != "" && o.Exit.ServiceResult != "success" {
		return []Action{Forget}
	}
	return nil
}

// next decides about a job that has no active run: whether it goes on waiting,
// or the next run is intended.
func next(j Job, o Observation) (Job, []Action) {
	start := false
	switch {
	case j.Kill != nil && j.RunCount > 0:
		j.end(Killed, ReasonKilled, fmt.Sprintf("killed before run %d", j.RunCount+1), o.Now)
	case j.Kill != nil:
		j.end(Killed, ReasonKilled, "killed before it ran", o.Now)
	case o.Manager == "":
		return j, []Action{Ask}
	case j.Phase == Delayed:
		start = j.repeat(o)
	default:
		start = j.wait(o)
	}
	if start {
		j.RunCount++
		r := Run{N: j.RunCount, Phase: Starting, Manager: o.Manager, IntendedAt: o.Now}
		r.Sink, r.SinkWhy = j.Spec.Log.Choose(o.Journald)
		j.Runs = append(j.Runs, r)
		j.Phase, j.NextAt = Starting, time.Time{}
	}
	if start || j.Completed() {
		var actions []Action
		if start {
			actions = []Action{Start}
		}
		if j.Armed.Any() {
			actions = append(actions, Disarm) // the run doesn't wait for that
		}
		j.Armed = Armed{Rev: j.Armed.Rev}
		return j, actions
	}
	wanted := j.wanted(o)
	if o.Unarmed || !wanted.equal(j.Armed) {
		wanted.Rev++
		wanted.Made = o.Now
		j.Armed = wanted
		return j, []Action{Arm}
	}
	return j, nil
}

// Observed returns the job as it is seen now: what the index holds, and what
// the claim and the service manager say of the run that it calls active.
func Observed(j Job, o Observation) Job {
	j.Runs = slices.Clone(j.Runs)
	if r := j.Last(); j.Phase != Done && r != nil && r.Active() {
		absorb(&j, o)
	}
	return j
}

// absorb takes in what is known of an active run.
func absorb(j *Job, o Observation) {
	r := j.Last()
	if o.Claim.Executed() {
		r.PID, r.InvocationID, r.StartedAt = o.Claim.PID, o.Claim.InvocationID, o.Claim.At
		if r.Phase == Starting {
			r.Phase, j.Phase = Running, Running
		}
		if j.StartedAt.IsZero() {
			j.StartedAt = r.StartedAt
		}
	}
	if (j.Killing() != nil || o.Unit.Stopping) && r.Phase == Running {
		r.Phase, j.Phase = Stopping, Stopping
	}
}

// concludeVoid ends a run whose command was never executed.
func (j *Job) concludeVoid(o Observation, kill *Kill) {
	r := j.Last()
	why := o.Claim.Void
	at := o.Claim.At
	if o.Exit != nil {
		at = o.Exit.At
		if o.Exit.StartError != "" {
			why = o.Exit.StartError
		}
	}
	if kill != nil && !at.Before(kill.At) {
		r.end(Killed, ReasonKilled, "killed before the command was executed", at)
		return
	}
	if limit, ofJob := j.RunLimit(r.StartedAt); limit > 0 && o.Exit != nil && o.Exit.ServiceResult == "timeout" && !o.Exit.StopQueued {
		j.endLate(limit, ofJob, " before the command was executed", at)
		return
	}
	if m := o.Unit.Main; m != nil && m.Code != nil && *m.Code >= 200 {
		// It could not set up what exec was to run in, see "Process Exit Codes".
		why += fmt.Sprintf(" (exit code %d of systemd, see systemd.exec(5); a --property may be more than is allowed here)", *m.Code)
	}
	r.end(Failure, ReasonStartFailed, why, at)
}

// conclude ends the current run as the record of its end says.
func (j *Job) conclude(e Exit, kill *Kill) {
	r := j.Last()
	r.ExitCode, r.Signal = e.Code, e.Signal
	r.CPUSeconds, r.MemoryPeak = e.CPUSeconds, e.MemoryPeak
	switch {
	case e.StartError != "":
		r.ExitCode, r.Signal = nil, ""
		r.end(Failure, ReasonStartFailed, e.StartError, e.At)
	case killed(e, kill):
		r.end(Killed, ReasonKilled, "killed"+how(e, " with "), e.At)
	case e.Shutdown():
		// The machine or the session went down: whatever code the command
		// ended with says nothing about its work.
		r.end(Failure, ReasonLost, "ended by a shutdown"+how(e, ", with "), e.At)
	case j.timedOut(e):
		limit, ofJob := j.RunLimit(r.StartedAt)
		j.endLate(limit, ofJob, how(e, "; it was ended by "), e.At)
	case e.ServiceResult == "oom-kill":
		r.end(Failure, ReasonOOM, "out of memory", e.At)
	case e.Signal != "":
		r.end(Failure, ReasonSignal, "died of SIG"+string(e.Signal), e.At)
	case e.Code == nil:
		r.end(Failure, ReasonLost, "nobody can say how it ended", e.At)
	default:
		r.end(j.Spec.Retries.classify(*e.Code), ReasonExit, fmt.Sprintf("exited with code %d", *e.Code), e.At)
	}
}

// endLate ends the current run because its time, or the job's, was over.
func (j *Job) endLate(limit time.Duration, ofJob bool, how string, at time.Time) {
	if ofJob {
		j.Last().end(Failure, ReasonJobTimeout, "the job's time of "+j.Spec.Timeout.Job.String()+" was over"+how, at)
		return
	}
	j.Last().end(Failure, ReasonTimeout, "took longer than "+Duration(limit).String()+how, at)
}

// timedOut tells whether a run ended because it had taken too long. Where only
// the manager knows how its main process ended, its time tells. systemd says
// "timeout" as well of what outlives the grace of an operator's stop.
func (j *Job) timedOut(e Exit) bool {
	r := j.Last()
	limit, _ := j.RunLimit(r.StartedAt)
	if limit <= 0 || r.StartedAt.IsZero() {
		return false
	}
	over := e.At.Sub(r.StartedAt) >= limit-timeoutSlack
	return e.ServiceResult == "timeout" && (over || !e.StopQueued) || e.ServiceResult == "" && e.StopUnknown && over
}

// timeoutSlack is how much earlier than the limit says a run may be timed out: the
// manager counts from the start of the unit, which is before the claim.
const timeoutSlack = time.Second

// overstayed tells whether a run is there although its time, and the grace after
// that, are over. Only of a run that is being stopped does that mean anything: the
// backend counts its time, and by a clock that nobody sets.
func (j *Job) overstayed(now time.Time) bool {
	r := j.Last()
	limit, _ := j.RunLimit(r.StartedAt)
	return limit > 0 && !r.StartedAt.IsZero() && !now.Before(later(later(r.StartedAt, limit), time.Duration(j.Spec.StopGrace)))
}

// killed tells whether it was the kill that ended the run. A run that ended by
// itself keeps its true result, even if a kill came before that was recorded.
func killed(e Exit, kill *Kill) bool {
	if kill == nil || e.At.Before(kill.At) {
		return false
	}
	return e.StopQueued || e.StopUnknown || e.Signal == "KILL" || e.Signal != "" && e.Signal == kill.Signal || kill.Custom
}

// how is how a run ended that was to end, behind other words.
func how(e Exit, by string) string {
	switch {
	case e.Signal != "":
		return by + "SIG" + string(e.Signal)
	case e.Code != nil:
		return fmt.Sprintf("; it exited with code %d", *e.Code)
	}
	return ""
}

func (r *Run) end(result Result, reason Reason, message string, at time.Time) {
	r.Phase, r.Result, r.Reason, r.Message, r.StoppedAt = Done, result, reason, message, at
}

func (j *Job) end(result Result, reason Reason, message string, at time.Time) {
	j.Phase, j.Result, j.Reason, j.Message, j.StoppedAt = Done, result, reason, message, at
	j.NextAt = time.Time{}
}
