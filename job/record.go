package job

import "time"

// Claim is the proof that a run's command was executed, or (Void) that it never
// will be. It is a file made with O_EXCL, so there is one at most; it is made
// and synced before the command is executed.
type Claim struct {
	PID          int       `json:"pid,omitzero"`
	InvocationID string    `json:"invocation_id,omitzero"` // of the execution that made it
	At           time.Time `json:"at"`
	Void         string    `json:"void,omitzero"` // why the run will never be executed
	// Identifier is what the SYSLOG_IDENTIFIER of all lines begins with that the run
	// writes to journald alone; the rest is the stream's name.
	Identifier string `json:"identifier,omitzero"`
}

// Executed tells whether the command was executed, as far as the claim knows.
func (c *Claim) Executed() bool { return c != nil && c.Void == "" }

// Exit is the record that a run ended, left by whoever saw it end.
type Exit struct {
	InvocationID string    `json:"invocation_id,omitzero"`
	At           time.Time `json:"at"`
	Code         *int      `json:"code,omitempty"`
	Signal       Signal    `json:"signal,omitzero"`
	// ServiceResult is systemd's $SERVICE_RESULT (systemd.exec(5)): "oom-kill",
	// "timeout", ...; of these the fork supervisor knows "timeout".
	ServiceResult string `json:"service_result,omitzero"`
	// StartError tells why the command could not be executed.
	StartError string `json:"start_error,omitzero"`
	// StopQueued: somebody asked for the end before it came.
	StopQueued bool `json:"stop_queued,omitzero"`
	// StopUnknown: whether somebody asked for it could not be found out.
	StopUnknown bool `json:"stop_unknown,omitzero"`
	// ManagerStopping: the machine or the session was going down.
	ManagerStopping bool     `json:"manager_stopping,omitzero"`
	CPUSeconds      *float64 `json:"cpu_seconds,omitempty"`
	MemoryPeak      *int64   `json:"memory_peak_bytes,omitempty"` // bytes
}

// Shutdown tells whether the run ended because the machine or the session went
// down.
func (e *Exit) Shutdown() bool { return e.ManagerStopping && e.StopQueued }

// exitCgroup is systemd's own exit code where it could not put a process into its
// control group, see "Process Exit Codes" in systemd.exec(5). That happens to a unit
// whose slice is being taken down at that moment, as the last one of it has ended.
const exitCgroup = 219

// Unsettled tells that the manager could not set up the process, for a reason that
// passes. It says so only of a run without a claim: a command may end with any code.
func (e *Exit) Unsettled() bool { return e != nil && e.Code != nil && *e.Code == exitCgroup }

// UnitState is what a backend sees of a run.
type UnitState uint8

// The states of a unit.
const (
	UnitUnknown UnitState = iota // nobody asked, or there was no answer
	UnitAbsent                   // the backend knows no such run
	UnitLive                     // starting, running, stopping, or in its stop-post
	UnitDead                     // over, but still remembered with its end
	UnitStray                    // its supervisor was killed, and what that supervised goes on
)

// Unit is what a backend says of a run.
type Unit struct {
	State UnitState
	PID   int // main process, 0 if unknown
	// Stopping: its end was asked for, and the backend sees to it.
	Stopping bool
	// Main is how the main process ended; nil unless State is UnitDead and it
	// was started at all.
	Main *Exit
}

// Observation is all that a decision may depend on beside the job itself.
// Whoever observes asks the backend first and reads the records then: a run
// that ended between the two has left its record by the time it is looked for.
// Where the records show an execution that the unit did not, the unit is asked
// for once more: the run may have begun between the two.
type Observation struct {
	Now     time.Time
	Manager string // identity of the manager that would start runs now; "" if nobody asked
	// Journald is what would take the output of a run that starts now; nothing is
	// known of it where nobody asked for the manager.
	Journald Journald
	Unit     Unit
	Claim    *Claim
	Exit     *Exit
	// LogBytes is the size of the run's output, where it may have ended.
	LogBytes int64

	// Of a job without an active run: what was found of its conditions, by their
	// place, and the paths to watch for them.
	Checks  []Check
	Watches [][]Watch
	// Unarmed: the backend does not know what the job calls armed.
	Unarmed bool
	// Changed: it does not because something has changed among what is watched.
	Changed bool
	// Crowded: no unit of the job's own may watch these paths.
	Crowded bool
	// Random is evenly distributed in [0, 1).
	Random float64
}

// StopRequest is what a backend gets to end a run: Signal to the whole tree,
// and SIGKILL to what is left of it after Grace. A signal of KILL or a grace of
// 0 means SIGKILL at once.
type StopRequest struct {
	Signal Signal
	Grace  time.Duration
	Custom bool // Signal is not the stop signal that the run was started with
}
