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
//	no           dead          no                 never executed: start-failed
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
		concludeVoid(r, o, kill)
	case o.Exit != nil:
		conclude(r, *o.Exit, kill)
	case o.Unit.State == UnitUnknown:
		return j, []Action{Ask}
	case o.Unit.State == UnitLive && kill != nil && (!o.Unit.Stopping || !o.Now.Before(kill.Until)):
		return j, []Action{Stop}
	case o.Unit.State == UnitLive:
		return j, nil
	case o.Unit.State == UnitDead && executed && o.Unit.Main != nil && o.Unit.Main.InvocationID == o.Claim.InvocationID:
		conclude(r, *o.Unit.Main, kill)
	case executed:
		r.end(Failure, ReasonLost, "nobody can say how it ended", o.Now)
	case o.Unit.State == UnitDead, kill != nil:
		return j, []Action{Void}
	default:
		r.Manager = o.Manager
		return j, []Action{Start}
	}
	settle(&j, o)
	return j, forgetDead(o)
}

func forgetDead(o Observation) []Action {
	if o.Unit.State == UnitDead || o.Exit != nil && o.Exit.ServiceResult != "" && o.Exit.ServiceResult != "success" {
		return []Action{Forget}
	}
	return nil
}

// next decides about a job that has no active run: the next one is intended.
func next(j Job, o Observation) (Job, []Action) {
	if j.Kill != nil {
		j.end(Killed, ReasonKilled, "killed before it ran", o.Now)
		return j, nil
	}
	if o.Manager == "" {
		return j, []Action{Ask}
	}
	j.RunCount++
	j.Runs = append(j.Runs, Run{N: j.RunCount, Phase: Starting, Manager: o.Manager, IntendedAt: o.Now})
	j.Phase = Starting
	return j, []Action{Start}
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
	if j.Killing() != nil && r.Phase == Running {
		r.Phase, j.Phase = Stopping, Stopping
	}
}

// concludeVoid ends a run whose command was never executed.
func concludeVoid(r *Run, o Observation, kill *Kill) {
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
	r.end(Failure, ReasonStartFailed, why, at)
}

// conclude ends a run as the record of its end says.
func conclude(r *Run, e Exit, kill *Kill) {
	r.ExitCode, r.Signal = e.Code, e.Signal
	r.CPUSeconds, r.MemoryPeak = e.CPUSeconds, e.MemoryPeak
	switch {
	case e.StartError != "":
		r.ExitCode, r.Signal = nil, ""
		r.end(Failure, ReasonStartFailed, e.StartError, e.At)
	case killed(e, kill):
		r.end(Killed, ReasonKilled, "killed"+how(e), e.At)
	case e.ManagerStopping && e.StopQueued:
		// The machine or the session went down: whatever code the command
		// ended with says nothing about its work.
		r.end(Failure, ReasonLost, "ended by a shutdown"+how(e), e.At)
	case e.ServiceResult == "oom-kill":
		r.end(Failure, ReasonOOM, "out of memory", e.At)
	case e.Signal != "":
		r.end(Failure, ReasonSignal, "died of SIG"+string(e.Signal), e.At)
	case e.Code == nil:
		r.end(Failure, ReasonLost, "nobody can say how it ended", e.At)
	case *e.Code == 0:
		r.end(Success, ReasonExit, "exited with code 0", e.At)
	default:
		r.end(Failure, ReasonExit, fmt.Sprintf("exited with code %d", *e.Code), e.At)
	}
}

// killed tells whether it was the kill that ended the run. A run that ended by
// itself keeps its true result, even if a kill came before that was recorded.
func killed(e Exit, kill *Kill) bool {
	if kill == nil || e.At.Before(kill.At) {
		return false
	}
	return e.StopQueued || e.StopUnknown || e.Signal == "KILL" || e.Signal != "" && e.Signal == kill.Signal || kill.Custom
}

func how(e Exit) string {
	switch {
	case e.Signal != "":
		return " with SIG" + string(e.Signal)
	case e.Code != nil:
		return fmt.Sprintf("; it exited with code %d", *e.Code)
	}
	return ""
}

// settle decides what a run's end means for its job.
func settle(j *Job, o Observation) {
	r := j.Last()
	switch r.Result {
	case Success:
		j.SuccessCount++
	case Failure, Killed:
		j.FailureCount++
	}
	j.end(r.Result, r.Reason, r.Message, r.StoppedAt)
	if j.StoppedAt.IsZero() {
		j.StoppedAt = o.Now
	}
}

func (r *Run) end(result Result, reason Reason, message string, at time.Time) {
	r.Phase, r.Result, r.Reason, r.Message, r.StoppedAt = Done, result, reason, message, at
}

func (j *Job) end(result Result, reason Reason, message string, at time.Time) {
	j.Phase, j.Result, j.Reason, j.Message, j.StoppedAt = Done, result, reason, message, at
}
