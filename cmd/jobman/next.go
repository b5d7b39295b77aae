package main

import (
	"fmt"
	"path/filepath"
	"time"

	"jobman/job"
)

// nextShort is when a job goes on and what it waits for, for a table: "in 12m",
// "file in.csv", "run 3 in 20s".
func nextShort(j *job.Job, now time.Time) string {
	switch {
	case j.Phase == job.Delayed:
		return fmt.Sprintf("run %d %s", j.RunCount+1, until(now, j.NextAt))
	case j.Phase != job.Waiting:
		return ""
	case !j.MetAt.IsZero():
		return "run 1 " + until(now, j.NextAt)
	}
	var missing []string
	for i := range j.Conditions {
		if c := &j.Conditions[i]; !c.Met {
			missing = append(missing, conditionShort(j, c, now))
		}
	}
	switch n := len(missing); {
	case n == 0:
		return "" // it is looked at just now
	case n > 1 && j.Spec.Wait.Any:
		return fmt.Sprintf("%s, or %d more", missing[0], n-1)
	case n > 1:
		return fmt.Sprintf("%s, and %d more", missing[0], n-1)
	}
	return missing[0]
}

// conditionShort is a condition that is not met.
func conditionShort(j *job.Job, c *job.Condition, now time.Time) string {
	if c.Sensor > 0 && c.Sensor <= len(j.Spec.Wait.Sensor) {
		return "sensor " + j.Spec.Wait.Sensor[c.Sensor-1].Name
	}
	target := string(c.Target)
	switch c.Kind {
	case job.KindDatetime, job.KindTimedelta:
		return until(now, j.DueAt(*c))
	case job.KindFile, job.KindNonopenFile, job.KindScript:
		target = filepath.Base(target)
	case job.KindJob:
		id, outcome := job.Awaited(c.Target)
		if target = id.Short(); outcome != "success" {
			target += ":" + outcome
		}
	}
	return string(c.Kind) + " " + target
}

// until is how long it is until a time.
func until(now, t time.Time) string {
	switch d := t.Sub(now); {
	case t.IsZero():
		return ""
	case d <= 0:
		return "now"
	default:
		return "in " + roughly(d)
	}
}
