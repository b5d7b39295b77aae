package engine

import (
	"slices"
	"strconv"

	"jobman/events"
	"jobman/job"
)

// happened says what a commit has changed of a job, as its jobman.log tells it.
func happened(before, after *job.Job) (all []events.Event) {
	all = append(all, sensed(before, after)...)
	if len(after.Conditions) > 0 && before.MetAt.IsZero() && !after.MetAt.IsZero() {
		all = append(all, events.New(events.Info, "wait-over"))
	}
	for i := range after.Runs {
		r := &after.Runs[i]
		if was := before.Run(r.N); r.Active() || was != nil && !was.Active() || was == nil && r.N <= before.RunCount {
			continue
		}
		all = append(all, events.New(levelOf(r.Result), "run-ended", "run", r.N, "result", r.Result, "reason", r.Reason,
			"code", optional(r.ExitCode), "signal", r.Signal, "message", r.Message))
	}
	if after.Phase == job.Delayed && before.Phase != job.Delayed {
		all = append(all, events.New(events.Info, "retry", "run", after.RunCount+1, "at", after.NextAt))
	}
	if armedAnew(before, after) {
		level := events.Info
		if after.Phase == job.Delayed {
			level = events.Debug // until the time of the retry, as was said
		}
		all = append(all, events.New(level, "armed", "at", after.Armed.At, "paths", count(len(after.Armed.Watches))))
	}
	if before.Armed.Any() && !after.Armed.Any() {
		all = append(all, events.New(events.Debug, "disarmed"))
	}
	if r := after.Last(); after.RunCount > before.RunCount && r.Active() {
		all = append(all, events.New(events.Info, "start", "run", r.N))
	}
	if after.Completed() && !before.Completed() {
		all = append(all, events.New(levelOf(after.Result), "completed", "result", after.Result, "reason", after.Reason, "message", after.Message))
	}
	return all
}

// sensed says which conditions are met, or can't be checked, unlike before.
func sensed(before, after *job.Job) (all []events.Event) {
	for i, c := range after.Conditions {
		was := job.Check{}
		if i < len(before.Conditions) {
			was = before.Conditions[i].Check
		}
		pairs := []any{"kind", c.Kind, "target", c.Target, "detail", c.Detail}
		switch {
		case c.Error != was.Error && c.Error != "":
			all = append(all, events.New(events.Warn, "condition-error", append(pairs, "error", c.Error)...))
		case c.Met != was.Met && c.Met:
			all = append(all, events.New(events.Info, "condition-met", pairs...))
		case c.Met != was.Met:
			all = append(all, events.New(events.Info, "condition-unmet", pairs...))
		}
	}
	return all
}

// armedAnew tells whether the job is to be stepped for something else than before.
// What is polled has another time with each poll, and that is not worth telling.
func armedAnew(before, after *job.Job) bool {
	was, is := before.Armed, after.Armed
	return is.Any() && (!was.Any() || !slices.Equal(was.Watches, is.Watches) || !was.At.Equal(is.At) && !after.Polling())
}

func levelOf(r job.Result) events.Level {
	if r == job.Failure {
		return events.Warn
	}
	return events.Info
}

func optional(n *int) any {
	if n == nil {
		return nil
	}
	return *n
}

// count leaves out a zero.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// submitted is the first line of a job.
func submitted(j *job.Job) events.Event {
	name := j.Spec.Name
	if name == job.DefaultName(j.Spec.Command) {
		name = "" // it is the command line, which is in spec
	}
	return events.New(events.Info, "submitted", "name", name, "group", j.Spec.Group, "backend", j.Backend, "scope", j.Scope)
}

// note adds to the job's jobman.log.
func (e *Engine) note(id job.ID, all ...events.Event) { e.Tree.JobLog(id).Add(all...) }

// complain notes what went wrong with a job, and logs it.
func (e *Engine) complain(id job.ID, err error) {
	if err != nil {
		e.note(id, events.Failure(err))
		e.log(err)
	}
}
