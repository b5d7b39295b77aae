package job

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is a kind of condition that a job can wait for.
type Kind string

// The kinds. All but the first two are checked by package sensors.
const (
	KindDatetime    Kind = "datetime"     // a moment has come
	KindTimedelta   Kind = "timedelta"    // time has passed since the submission
	KindFile        Kind = "file"         // a file is there; a glob
	KindNonopenFile Kind = "nonopen-file" // and no process has it open; a glob
	KindScript      Kind = "script"       // an executable ends with 0
	KindHTTP        Kind = "http"         // a URL answers GET with 2xx
	KindS3          Kind = "s3"           // a bucket, key or prefix is there
	KindJob         Kind = "job"          // a job has completed: "ID:success", "ID:failure" or "ID:any"
)

// Polled tells whether nothing says when a condition comes to hold, so that it
// is checked again and again; such a check may take its time.
func (k Kind) Polled() bool {
	return k == KindNonopenFile || k == KindScript || k == KindHTTP || k == KindS3
}

// Timed tells whether a condition is nothing but a time.
func (k Kind) Timed() bool { return k == KindDatetime || k == KindTimedelta }

// Check is what a look at a condition found.
type Check struct {
	At         time.Time `json:"at"` // when it ended; zero: the condition was not checked
	Met        bool      `json:"met"`
	Impossible bool      `json:"impossible,omitzero"` // it can never be met any more
	Detail     string    `json:"detail,omitzero"`     // for people: how it was proved, or what is missing
	Error      string    `json:"error,omitzero"`      // why it could not be checked; then it is not met
}

// Condition is one thing that a job waits for, and what the last look at it found.
type Condition struct {
	Kind   Kind `json:"kind"`
	Target Text `json:"target"`          // as the option gives it; paths are absolute, jobs are ids
	Sensor int  `json:"sensor,omitzero"` // the place, from 1, of the sensor that it is of; 0: it is of none
	Check
}

// Watch is a path whose change may make a condition hold, in the words of
// systemd.path(5).
type Watch struct {
	Kind string `json:"kind"`
	Path Text   `json:"path"` // absolute; of a PathExistsGlob a pattern
}

// The kinds of a Watch.
const (
	PathExists     = "PathExists"
	PathExistsGlob = "PathExistsGlob"
	PathChanged    = "PathChanged" // or an entry of it, if it is a directory
)

// Wait is what a job waits for before its first run.
type Wait struct {
	Datetime      time.Time `json:"datetime,omitzero"`
	Timedelta     *Duration `json:"timedelta,omitempty"` // since the submission
	File          []Text    `json:"file,omitempty"`
	NonopenFile   []Text    `json:"nonopen-file,omitempty"`
	Script        []Text    `json:"script,omitempty"`
	HTTP          []string  `json:"http,omitempty"`
	S3            []string  `json:"s3,omitempty"`
	Job           []string  `json:"job,omitempty"`
	Sensor        []Sensor  `json:"sensor,omitempty"`       // see sensor.go
	Any           bool      `json:"any,omitzero"`           // one condition is enough
	PollInterval  Duration  `json:"poll-interval,omitzero"` // of what is polled
	ExtraDelay    Duration  `json:"extra-delay,omitzero"`   // after the conditions were met
	AbortDatetime time.Time `json:"abort-datetime,omitzero"`
}

// Conditions returns what is waited for, nothing of it checked yet.
func (w *Wait) Conditions() (all []Condition) {
	add := func(kind Kind, target Text) { all = append(all, Condition{Kind: kind, Target: target}) }
	if !w.Datetime.IsZero() {
		add(KindDatetime, Text(w.Datetime.UTC().Format(time.RFC3339Nano)))
	}
	if w.Timedelta != nil {
		add(KindTimedelta, Text(w.Timedelta.String()))
	}
	for _, path := range w.File {
		add(KindFile, path)
	}
	for _, path := range w.NonopenFile {
		add(KindNonopenFile, path)
	}
	for _, path := range w.Script {
		add(KindScript, path)
	}
	for _, url := range w.HTTP {
		add(KindHTTP, Text(url))
	}
	for _, url := range w.S3 {
		add(KindS3, Text(url))
	}
	for _, id := range w.Job {
		add(KindJob, Text(id))
	}
	for i, s := range w.Sensor {
		for _, target := range s.Targets {
			all = append(all, Condition{Kind: s.Kind, Target: target, Sensor: i + 1})
		}
	}
	return all
}

// Check tells why nobody could wait like that.
func (w *Wait) Check() error {
	for i := range w.Sensor {
		if err := w.Sensor[i].Check(); err != nil {
			return fmt.Errorf("wait.sensor %w", err)
		}
	}
	if w.AbortDatetime.IsZero() {
		return nil
	}
	if !w.Datetime.IsZero() && (!w.Any || len(w.Conditions()) == 1) && !w.AbortDatetime.After(w.Datetime.Add(time.Duration(w.ExtraDelay))) {
		return errors.New("wait.abort-datetime is not after wait.datetime and wait.extra-delay: the job could never run")
	}
	return nil
}

// Awaited takes the target of a job condition apart.
func Awaited(target Text) (ID, string) {
	id, outcome, _ := strings.Cut(string(target), ":")
	return ID(id), outcome
}

// Awaiting returns the jobs that this one still waits for.
func (j *Job) Awaiting() (ids []ID) {
	if !j.Sensing() {
		return nil
	}
	for _, c := range j.Conditions {
		if c.Kind == KindJob {
			if id, _ := Awaited(c.Target); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// CheckAwaited is the condition to wait for a job: nil is one that was deleted.
func CheckAwaited(other *Job, outcome string, now time.Time) Check {
	switch {
	case other == nil:
		return Check{At: now, Impossible: true, Detail: "the job is gone"}
	case !other.Completed():
		return Check{At: now, Detail: string(other.Status())}
	case outcome == "any", outcome == "success" && other.Result == Success,
		outcome == "failure" && (other.Result == Failure || other.Result == Killed):
		return Check{At: now, Met: true, Detail: string(other.Result)}
	}
	return Check{At: now, Impossible: true, Detail: fmt.Sprintf("the job's result is %s", other.Result)}
}

// Polls tells whether some of the job's conditions are polled.
func (j *Job) Polls() bool {
	return slices.ContainsFunc(j.Conditions, func(c Condition) bool { return c.Kind.Polled() })
}

// Sensing tells whether the job still waits for its conditions.
func (j *Job) Sensing() bool { return j.Phase == Waiting && j.MetAt.IsZero() }

// Polling tells whether the job waits for something that is polled: it is stepped
// by a process of its own, which may take its time.
func (j *Job) Polling() bool { return j.Sensing() && j.Polls() }

// PollsDue tells which of the conditions are to be polled now, by their place; nil:
// none. It is those whose time has come, and those that were met at the last look
// if the wait is over should they be met still: what is looked at must hold in one
// evaluation. It is none where the waiting is over without them: such a check may take
// its time.
func (j *Job) PollsDue(o Observation) (due []bool) {
	abort := j.Spec.Wait.AbortDatetime
	if !j.MetAt.IsZero() || !j.Polls() || !abort.IsZero() && !o.Now.Before(abort) {
		return nil
	}
	seen := *j
	seen.Conditions, seen.Held = slices.Clone(j.Conditions), slices.Clone(j.Held)
	seen.absorbChecks(o)
	all := seen.whole(o)
	if all.proved || all.impossible {
		return nil
	}
	decisive := all.met && !all.proved
	for i, c := range j.Conditions {
		if c.Kind.Polled() && (decisive && c.Met || c.At.IsZero() || o.Now.Before(c.At) || !o.Now.Before(j.nextPoll(c))) {
			if due == nil {
				due = make([]bool, len(j.Conditions))
			}
			due[i] = true
		}
	}
	return due
}

// nextPoll is when a polled condition is due to be checked.
func (j *Job) nextPoll(c Condition) time.Time {
	switch {
	case c.At.IsZero():
		return j.Since // at once
	case c.Sensor > 0:
		return c.At.Add(time.Duration(j.Spec.Wait.Sensor[c.Sensor-1].PollInterval))
	}
	return c.At.Add(time.Duration(j.Spec.Wait.PollInterval))
}

// later adds without overflow.
func later(t time.Time, d time.Duration) time.Time { return t.Add(min(d, longest)) }

// wait decides about a job whose first run was not intended yet. It returns
// whether that is to start now.
func (j *Job) wait(o Observation) (start bool) {
	w := &j.Spec.Wait
	if j.Since.IsZero() {
		j.Since = j.SubmittedAt
	}
	if j.SetBack(o.Now) {
		j.Since = o.Now
		if o.Now.Before(j.MetAt) {
			j.MetAt = o.Now
		}
	}
	if abort := w.AbortDatetime; !abort.IsZero() && !o.Now.Before(abort) {
		j.end(Failure, ReasonWaitAbort, "no run had started by "+abort.Format(time.RFC3339), o.Now)
		return false
	}
	if j.MetAt.IsZero() {
		j.evaluate(o)
	}
	if j.Completed() {
		return false
	}
	if !j.MetAt.IsZero() {
		due := j.MetAt
		if !j.Released {
			due = later(due, time.Duration(w.ExtraDelay))
		}
		if !o.Now.Before(due) {
			return true
		}
	}
	j.NextAt = earlier(j.times(o.Now))
	return false
}

// evaluate takes in what was found of the conditions, and notes when they hold
// together (MetAt).
func (j *Job) evaluate(o Observation) {
	j.Conditions, j.Held = slices.Clone(j.Conditions), slices.Clone(j.Held)
	j.absorbChecks(o)
	all := j.whole(o)
	switch {
	case all.proved:
		j.MetAt = o.Now
		if all.timed && !all.at.IsZero() {
			j.MetAt = all.at
		}
	case all.impossible:
		j.end(Failure, ReasonWaitImpossible, j.whyImpossible(), o.Now)
	}
}

// PolledAt is when conditions were polled last.
func (j *Job) PolledAt() (at time.Time) {
	for _, c := range j.Conditions {
		if c.Kind.Polled() && c.At.After(at) {
			at = c.At
		}
	}
	return at
}

// take notes what a look at the condition found. What found nothing new is not worth
// a commit, unless somebody wants to know when it was polled.
func (c *Condition) take(found Check) {
	was := c.Check
	was.At = found.At
	if c.At.IsZero() || c.Kind.Polled() || was != found {
		c.Check = found
	}
}

func (j *Job) whyImpossible() string {
	for _, c := range j.Conditions {
		if c.Impossible {
			return fmt.Sprintf("it waits for %s %s, which can no longer come: %s", c.Kind, c.Target, c.Detail)
		}
	}
	return ""
}

// Release ends the waiting for conditions and delays: the next run starts now.
// It returns ErrNotWaiting where there is nothing to wait for.
func (j *Job) Release(now time.Time) error {
	switch j.Phase {
	case Waiting:
		j.MetAt, j.Released = now, true
	case Delayed:
		j.NextAt = now
	default:
		return ErrNotWaiting
	}
	return nil
}
