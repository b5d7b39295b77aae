package main

import (
	"fmt"
	"time"

	"jobman/job"
)

// printWait tells what a job waits for, since when, and what happens next of itself.
func (a *app) printWait(f *fields, j *job.Job, now time.Time) {
	f.add("next", next(j, now))
	switch n := len(j.Conditions); {
	case n == 0 || !j.Sensing() && j.MetAt.IsZero():
	case !j.MetAt.IsZero() && j.Released:
		f.add("waits", "no more; ended by start "+moment(j.MetAt))
	case !j.MetAt.IsZero():
		f.add("waits", "no more; met "+moment(j.MetAt))
	case n == 1:
		f.add("waits", "since "+since(now, j.SubmittedAt))
	case j.Spec.Wait.Any:
		f.add("waits", fmt.Sprintf("since %s, until one of %d holds", since(now, j.SubmittedAt), n))
	default:
		f.add("waits", fmt.Sprintf("since %s, until all %d hold at once", since(now, j.SubmittedAt), n))
	}
	for i := range j.Conditions {
		c := &j.Conditions[i]
		f.add("waits for", describeSensor(j, c.Sensor)+describeCondition(j, c, now))
	}
	if d := j.Spec.Wait.ExtraDelay; d > 0 {
		f.add("then waits", d.String()+" more (--wait.extra-delay)")
	}
	if at := j.Spec.Wait.AbortDatetime; !at.IsZero() && j.RunCount == 0 && !j.Completed() {
		f.add("gives up", fmt.Sprintf("at %s%s, if no run has started (--wait.abort-datetime)", moment(at), inTimeOf(now, at)))
	}
	if j.Armed.Watcher {
		f.add("watched by", "the watcher, one process for all jobs whose files are too many for path units")
	}
}

// since is a time that is past, and how long ago that is.
func since(now, t time.Time) string { return fmt.Sprintf("%s (%s)", moment(t), ago(now, t)) }

// inTimeOf is how long it is until a time, behind that time; "" for what nobody will
// live to see.
func inTimeOf(now, t time.Time) string {
	const farthest = 100 * 365 * 24 * time.Hour
	if d := t.Sub(now); d > farthest {
		return ""
	}
	return ", " + until(now, t)
}

// next says when something happens of itself.
func next(j *job.Job, now time.Time) string {
	if j.NextAt.IsZero() {
		return ""
	}
	what := "the next check"
	switch {
	case j.Phase == job.Delayed:
		what = fmt.Sprintf("run %d", j.RunCount+1)
	case !j.MetAt.IsZero():
		what = "run 1"
	case j.NextAt.Equal(j.Spec.Wait.AbortDatetime):
		return "" // said as when it gives up
	case !j.Polls():
		what = "it looks again"
	}
	return fmt.Sprintf("%s at %s%s", what, moment(j.NextAt), inTimeOf(now, j.NextAt))
}

// describeSensor tells people of which sensor, by its place, a condition is.
func describeSensor(j *job.Job, n int) string {
	if n == 0 || n > len(j.Spec.Wait.Sensor) {
		return ""
	}
	s := j.Spec.Wait.Sensor[n-1]
	text := s.Name
	switch delayed := s.Delay > 0; {
	case delayed && n <= len(j.Held) && !j.Held[n-1].IsZero():
		text += fmt.Sprintf(" (holds since %s, for %s)", moment(j.Held[n-1]), s.Delay)
	case delayed:
		text += fmt.Sprintf(" (for %s)", s.Delay)
	}
	if s.Any && len(s.Targets) > 1 {
		text += " (one is enough)"
	}
	return text + ": "
}

// describeCondition tells people of a condition and the last look at it.
func describeCondition(j *job.Job, c *job.Condition, now time.Time) string {
	text := fmt.Sprintf("%s %s: ", c.Kind, c.Target)
	if c.Kind == job.KindDatetime {
		text = fmt.Sprintf("%s %s: ", c.Kind, moment(j.DueAt(*c)))
	}
	switch {
	case c.Error != "":
		text += "can't be checked: " + c.Error
	case c.Met:
		text += "met"
	case c.Kind.Timed():
		return text + "not met" + inTimeOf(now, j.DueAt(*c))
	case c.At.IsZero():
		return text + "not checked yet"
	default:
		text += "not met"
	}
	if c.Detail != "" {
		text += " (" + c.Detail + ")"
	}
	if c.Kind.Polled() && !c.At.IsZero() {
		text += ", checked " + since(now, c.At)
	}
	return text
}
