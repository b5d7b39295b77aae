package main

import (
	"encoding/json"
	"time"

	"jobman/job"
	"jobman/units"
)

// What users see as JSON: SPEC's keys, null for what is unknown, times RFC 3339
// in UTC with microseconds. Keys are only ever added.

type jobView struct {
	Schema       int             `json:"schema"`
	ID           job.ID          `json:"id"`
	Name         string          `json:"name"`
	Group        string          `json:"group"`
	Command      []job.Text      `json:"command"`
	Cwd          job.Text        `json:"cwd"`
	Status       job.Status      `json:"status"`
	Phase        job.Phase       `json:"phase"`
	Result       *job.Result     `json:"result"`
	Reason       *job.Reason     `json:"reason"`
	Message      *string         `json:"message"`
	SubmittedAt  *stamp          `json:"submitted_at"`
	StartedAt    *stamp          `json:"started_at"`
	StoppedAt    *stamp          `json:"stopped_at"`
	NextAt       *stamp          `json:"next_at"`
	ExitCode     *int            `json:"exit_code"`
	Signal       *job.Signal     `json:"signal"`
	RunCount     int             `json:"run_count"`
	SuccessCount int             `json:"success_count"`
	FailureCount int             `json:"failure_count"`
	HeartbeatAt  *stamp          `json:"heartbeat_at"`
	Backend      string          `json:"backend"`
	Scope        string          `json:"scope"`
	Host         string          `json:"host"`
	Conditions   []conditionView `json:"conditions"`
	Runs         *[]runView      `json:"runs,omitempty"` // nil in a list without them
	Spec         *job.Spec       `json:"spec"`
	Deliveries   *[]deliveryView `json:"deliveries,omitempty"` // nil in a list
}

type runView struct {
	Run          int         `json:"run"`
	Status       job.Status  `json:"status"`
	Result       *job.Result `json:"result"`
	Reason       *job.Reason `json:"reason"`
	Message      *string     `json:"message"`
	ExitCode     *int        `json:"exit_code"`
	Signal       *job.Signal `json:"signal"`
	PID          *int        `json:"pid"`
	StartedAt    *stamp      `json:"started_at"`
	StoppedAt    *stamp      `json:"stopped_at"`
	HeartbeatAt  *stamp      `json:"heartbeat_at"`
	Unit         *string     `json:"unit"`
	InvocationID *string     `json:"invocation_id"`
	CPUSeconds   *float64    `json:"cpu_seconds"`
	MemoryPeak   *int64      `json:"memory_peak_bytes"`
	Log          logView     `json:"log"`
}

type conditionView struct {
	Kind      job.Kind `json:"kind"`
	Target    job.Text `json:"target"`
	Met       bool     `json:"met"`
	CheckedAt *stamp   `json:"checked_at"`
	Error     *string  `json:"error"`
	Detail    *string  `json:"detail"`
	Sensor    *string  `json:"sensor"`
}

type logView struct {
	Sink   job.Sink  `json:"sink"`
	Why    *string   `json:"why"`
	Path   *job.Text `json:"path"` // null: it is in journald alone, or reaped
	Bytes  *int64    `json:"bytes"`
	Reaped bool      `json:"reaped"`

	Identifier *string `json:"identifier"` // in journald: what the SYSLOG_IDENTIFIER of its streams begins with
	Uncopied   *int64  `json:"uncopied"`   // lines that journald's copy lacks; null: there is no copy
}

// stamp is a time as JSON shows it.
type stamp time.Time

// MarshalText implements encoding.TextMarshaler.
func (s stamp) MarshalText() ([]byte, error) {
	return time.Time(s).UTC().AppendFormat(nil, job.StampLayout), nil
}

func at(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

// view makes the JSON form of a job, with its loaded runs or without.
func (a *app) view(j *job.Job, runs bool) jobView {
	v := jobView{
		Schema: 1, ID: j.ID, Name: j.Spec.Name, Group: j.Spec.Group, Command: j.Spec.Command, Cwd: j.Spec.Chdir,
		Status: j.Status(), Phase: j.Phase, Result: known(j.Result), Reason: known(j.Reason), Message: known(j.Message),
		SubmittedAt: at(j.SubmittedAt), StartedAt: at(j.StartedAt), StoppedAt: at(j.StoppedAt),
		RunCount: j.RunCount, SuccessCount: j.SuccessCount, FailureCount: j.FailureCount,
		Backend: j.Backend, Scope: j.Scope, Host: j.Host, NextAt: at(j.NextAt), Conditions: []conditionView{}, Spec: &j.Spec,
	}
	if !j.Spec.Notify.IsZero() {
		spec := j.Spec
		spec.Notify = spec.Notify.Redacted()
		v.Spec = &spec
	}
	for _, c := range j.Conditions {
		of := ""
		if c.Sensor > 0 && c.Sensor <= len(j.Spec.Wait.Sensor) {
			of = j.Spec.Wait.Sensor[c.Sensor-1].Name
		}
		v.Conditions = append(v.Conditions, conditionView{c.Kind, targetView(&c), c.Met, at(c.At), known(c.Error), known(c.Detail), known(of)})
	}
	if r := j.Last(); r != nil {
		v.ExitCode, v.Signal = r.ExitCode, known(r.Signal)
		v.HeartbeatAt = a.heartbeat(j, r)
	}
	if runs {
		views := make([]runView, 0, len(j.Runs))
		for i := range j.Runs {
			views = append(views, a.runView(j, &j.Runs[i]))
		}
		v.Runs = &views
	}
	return v
}

// targetView is what a condition is held against, times like all others.
func targetView(c *job.Condition) job.Text {
	if t, err := time.Parse(time.RFC3339Nano, string(c.Target)); err == nil && c.Kind == job.KindDatetime {
		return job.Text(t.UTC().Format(job.StampLayout))
	}
	return c.Target
}

func (a *app) runView(j *job.Job, r *job.Run) runView {
	return runView{
		Run: r.N, Status: r.Phase.Status(), Result: known(r.Result), Reason: known(r.Reason), Message: known(r.Message),
		ExitCode: r.ExitCode, Signal: known(r.Signal), PID: known(r.PID),
		StartedAt: at(r.StartedAt), StoppedAt: at(r.StoppedAt), HeartbeatAt: a.heartbeat(j, r),
		Unit: known(unitName(j, r)), InvocationID: known(r.InvocationID), CPUSeconds: r.CPUSeconds, MemoryPeak: r.MemoryPeak,
		Log: a.logOf(j, r),
	}
}

// unitName is the systemd unit of a run, or "" where there is none.
func unitName(j *job.Job, r *job.Run) string {
	if j.Backend != "systemd" {
		return ""
	}
	return units.RunName(job.Ref{ID: j.ID, Run: r.N})
}

// heartbeat is when a run was last known to live: now, for what the backend was
// asked about just now, and of another machine's as that has noted it last.
func (a *app) heartbeat(j *job.Job, r *job.Run) *stamp {
	switch {
	case !r.Active():
		return at(r.StoppedAt)
	case j.HostID == a.HostID && r.StartedAt.IsZero():
		return nil
	case j.HostID == a.HostID:
		return at(time.Now())
	}
	noted, err := a.tree.Run(job.Ref{ID: j.ID, Run: r.N}).Heartbeat()
	if err != nil {
		return nil // nobody can say
	}
	return at(noted)
}

// printJSON prints one document.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printJobs prints {"jobs": [...]}, what verbs that act on jobs print.
func (a *app) printJobs(jobs []*job.Job) error {
	views := make([]jobView, len(jobs))
	for i, j := range jobs {
		views[i] = a.view(j, true)
	}
	return a.printJSON(map[string][]jobView{"jobs": views})
}
