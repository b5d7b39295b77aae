package job

import "fmt"

// Phase is where a job or a run stands. A job's status follows from its phase:
//
//	               ┌────────────── another run ──────────────┐
//	               ▼                                         │
//	waiting ──► delayed ──► starting ──► running ──► stopping ─┤
//	   │           │           │            │                │
//	   └───────────┴───── kill ┴── its end ─┴────────────────┴──► done
//
//	waiting, delayed, starting: pending    running, stopping: running    done: completed
//
// The index holds `starting` from the commit that intends a run until the one
// that records its end: that it runs meanwhile is shown by its claim and by
// the service manager, which are asked whenever a job is shown. The numbers go
// to disk as names; they may be added to, never changed.
type Phase uint8

// The phases.
const (
	Waiting  Phase = 1 // for its conditions; no run yet
	Delayed  Phase = 2 // between two runs
	Starting Phase = 3 // a run is intended
	Running  Phase = 4 // the command was executed
	Stopping Phase = 5 // a kill is committed
	Done     Phase = 6
)

// Status is the coarse state that scripts ask for.
type Status string

// The statuses.
const (
	Pending   Status = "pending"
	Active    Status = "running"
	Completed Status = "completed"
)

// Status derives the status.
func (p Phase) Status() Status {
	switch p {
	case Running, Stopping:
		return Active
	case Done:
		return Completed
	}
	return Pending
}

// Result is how a job or a run ended; empty until it did.
type Result string

// The results.
const (
	Success Result = "success"
	Failure Result = "failure"
	Neutral Result = "neutral"
	Killed  Result = "killed"
)

// Reason says what made the result.
type Reason string

// The reasons.
const (
	ReasonExit        Reason = "exit"
	ReasonSignal      Reason = "signal"
	ReasonTimeout     Reason = "timeout"
	ReasonOOM         Reason = "oom"
	ReasonStartFailed Reason = "start-failed" // the command was never executed
	ReasonLost        Reason = "lost"         // nobody can know
	ReasonKilled      Reason = "killed"

	ReasonJobTimeout     Reason = "job-timeout"
	ReasonWaitAbort      Reason = "wait-abort"      // wait.abort-datetime came first
	ReasonWaitImpossible Reason = "wait-impossible" // what it waited for can't come any more
	ReasonRetryAbort     Reason = "retry-abort"     // retries.abort-datetime comes before the next run
)

var phaseNames = map[Phase]string{
	Waiting: "waiting", Delayed: "delayed", Starting: "starting",
	Running: "running", Stopping: "stopping", Done: "done",
}

func (p Phase) String() string { return phaseNames[p] }

// MarshalText implements encoding.TextMarshaler.
func (p Phase) MarshalText() ([]byte, error) {
	if name, ok := phaseNames[p]; ok {
		return []byte(name), nil
	}
	return nil, fmt.Errorf("phase %d is unknown", p)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Phase) UnmarshalText(b []byte) error {
	for phase, name := range phaseNames {
		if name == string(b) {
			*p = phase
			return nil
		}
	}
	return fmt.Errorf("phase %q is unknown", b)
}
