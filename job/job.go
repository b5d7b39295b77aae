package job

import (
	"slices"
	"time"
)

// Job is the document: what was asked for, and what has become of it. Times are
// UTC, zero where unknown. It is what the store keeps; what users see as JSON
// is made from it by cmd/jobman.
type Job struct {
	ID   ID   `json:"id"`
	Spec Spec `json:"spec"`

	Phase   Phase  `json:"phase"`
	Result  Result `json:"result,omitzero"`
	Reason  Reason `json:"reason,omitzero"`
	Message string `json:"message,omitzero"` // a sentence for people

	SubmittedAt time.Time `json:"submitted_at"`
	StartedAt   time.Time `json:"started_at,omitzero"` // of the first run
	StoppedAt   time.Time `json:"stopped_at,omitzero"` // of the job

	RunCount     int `json:"run_count"`
	SuccessCount int `json:"success_count"`
	FailureCount int `json:"failure_count"`

	// Uncounted are the runs that count for no limit: a reboot ended them, and
	// OnReboot is rerun.
	Uncounted int `json:"uncounted,omitzero"`
	QuickRuns int `json:"quick_runs,omitzero"` // in a row, see settle

	Conditions []Condition `json:"conditions,omitempty"` // of Spec.Wait
	MetAt      time.Time   `json:"met_at,omitzero"`      // when they held
	Held       []time.Time `json:"held,omitempty"`       // by sensor: since when its conditions hold; zero: they don't
	Released   bool        `json:"released,omitzero"`    // `start`: no extra delay
	Since      time.Time   `json:"since,omitzero"`       // from when on delays count
	NextAt     time.Time   `json:"next_at,omitzero"`     // when something is due
	Armed      Armed       `json:"armed,omitzero"`

	// ReapedRuns: the output of the runs up to this number is deleted, or about to
	// be, as far as they are over.
	ReapedRuns int `json:"reaped_runs,omitzero"`

	Kill *Kill `json:"kill,omitempty"` // committed before anything is stopped

	Callbacks []Callback `json:"callbacks,omitempty"` // of Spec.Notify

	Backend string `json:"backend"` // "systemd" or "fork"
	Scope   string `json:"scope"`   // "system" or "user"
	HostID  string `json:"host_id"` // machine-id(5)
	Host    string `json:"host"`    // host name, for people

	// Runs are those that were loaded, in order; the last of them is the
	// current one. Stores keep them as children of the job.
	Runs []Run `json:"-"`
}

// Run is one execution of the job's command.
type Run struct {
	N       int    `json:"run"` // from 1
	Phase   Phase  `json:"phase"`
	Result  Result `json:"result,omitzero"`
	Reason  Reason `json:"reason,omitzero"`
	Message string `json:"message,omitzero"`

	ExitCode *int   `json:"exit_code,omitempty"`
	Signal   Signal `json:"signal,omitzero"`

	Manager      string    `json:"manager"`           // identity of the manager it was intended for
	Restarts     int       `json:"restarts,omitzero"` // after Exit.Unsettled
	PID          int       `json:"pid,omitzero"`
	InvocationID string    `json:"invocation_id,omitzero"`
	IntendedAt   time.Time `json:"intended_at"`
	StartedAt    time.Time `json:"started_at,omitzero"`
	StoppedAt    time.Time `json:"stopped_at,omitzero"`

	CPUSeconds *float64 `json:"cpu_seconds,omitempty"`
	MemoryPeak *int64   `json:"memory_peak_bytes,omitempty"`

	LogBytes int64  `json:"log_bytes,omitzero"` // of its output when it ended
	Reaped   bool   `json:"reaped,omitzero"`    // that is deleted, or about to be; see Job.Reaped
	Sink     Sink   `json:"sink,omitzero"`      // where its output goes; "": to files
	SinkWhy  string `json:"sink_why,omitzero"`  // in one line

	Kill *Kill `json:"kill,omitempty"` // `kill run`: ends this run, the policy goes on
}

// Armed is what the backend was asked to step a waiting job for.
type Armed struct {
	Rev     int       `json:"rev"` // counts; in the names of units
	Manager string    `json:"manager,omitzero"`
	At      time.Time `json:"at,omitzero"`   // a moment, which other jobs may wait for too
	Poll    time.Time `json:"poll,omitzero"` // when what is polled is checked next
	Watches []Watch   `json:"watches,omitempty"`

	// Watcher: it is not a unit of the job's own that watches, but the one process
	// that does so for all jobs of the store for which there are too many paths.
	Watcher bool `json:"watcher,omitzero"`
	// Made is when that was armed, and Idle how often in a row it was armed anew
	// soon after, because of changes that changed nothing for the job.
	Made time.Time `json:"made,omitzero"`
	Idle int       `json:"idle,omitzero"`
}

// Any tells whether there is anything that the job is to be stepped for.
func (a Armed) Any() bool { return !a.At.IsZero() || !a.Poll.IsZero() || len(a.Watches) > 0 }

// Edges tells whether some of the watches see changes only, not what is there.
func (a Armed) Edges() bool {
	return slices.ContainsFunc(a.Watches, func(w Watch) bool { return w.Kind == PathChanged })
}

func (a Armed) equal(b Armed) bool {
	return a.Rev == b.Rev && a.Manager == b.Manager && a.At.Equal(b.At) && a.Poll.Equal(b.Poll) &&
		slices.Equal(a.Watches, b.Watches) && a.Watcher == b.Watcher
}

// Kill is the wish to end a job or a run, committed before it is carried out.
type Kill struct {
	At     time.Time `json:"at"`              // of the first such wish
	Signal Signal    `json:"signal"`          // KILL for --now
	Until  time.Time `json:"until"`           // what is left then gets SIGKILL
	Custom bool      `json:"custom,omitzero"` // Signal is not the job's stop signal
}

// Last returns the current run, or nil.
func (j *Job) Last() *Run {
	if len(j.Runs) == 0 {
		return nil
	}
	return &j.Runs[len(j.Runs)-1]
}

// Run returns run n if it was loaded, else nil.
func (j *Job) Run(n int) *Run {
	for i := range j.Runs {
		if j.Runs[i].N == n {
			return &j.Runs[i]
		}
	}
	return nil
}

// Ref names the current run. There must be one.
func (j *Job) Ref() Ref { return Ref{j.ID, j.Last().N} }

// Status is the coarse state.
func (j *Job) Status() Status { return j.Phase.Status() }

// Completed tells whether the job is over.
func (j *Job) Completed() bool { return j.Phase == Done }

// Active tells whether the run is intended or under way.
func (r *Run) Active() bool { return r.Phase != Done }

// Reaped tells whether a run's output is deleted, or about to be.
func (j *Job) Reaped(r *Run) bool {
	return !r.Active() && (r.Reaped || r.N <= j.ReapedRuns)
}

// Killing returns the kill that concerns the current run, or nil.
func (j *Job) Killing() *Kill {
	r := j.Last()
	switch {
	case r == nil || !r.Active() || r.Kill == nil:
		return j.Kill
	case j.Kill == nil:
		return r.Kill
	}
	return urge(r.Kill, j.Kill)
}
