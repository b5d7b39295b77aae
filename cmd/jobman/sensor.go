package main

import (
	"time"

	"jobman/job"
)

// sensors resolves named sensors into conditions; then what the configuration says
// of them no longer matters to the job. A sensor's not-after is the job's: it fails
// if no run has started by then.
func (w *waitFlags) sensors(a *app, out *job.Wait) error {
	if a.line != nil && !a.given("wait.sensor") {
		out.Sensor = append(out.Sensor, a.line.sensors...)
	}
	for _, name := range w.Sensor {
		found, err := a.settings.Sensor(name)
		if err != nil {
			return (&problem{kind: "config", text: "--wait.sensor: " + err.Error(), err: err}).try("jobman config check")
		}
		s := job.Sensor{Name: name, Kind: found.Kind, Any: found.Any, Delay: found.Delay}
		for _, given := range found.Targets {
			target, err := a.target(found.Kind, given)
			if err != nil {
				return &problem{kind: kindOf(err), text: "--wait.sensor " + name + ": " + err.Error(), err: err}
			}
			s.Targets = append(s.Targets, target)
		}
		if s.Kind.Polled() {
			if s.PollInterval = found.PollInterval; s.PollInterval == 0 {
				s.PollInterval = w.PollInterval
			}
		}
		if found.NotAfter != "" {
			at, err := job.ParseMoment(found.NotAfter, time.Now())
			if err != nil {
				return usage("--wait.sensor %s: not-after: %v", name, err)
			}
			if !time.Now().Before(at) {
				return usage("--wait.sensor %s: not-after, %s, is past", name, moment(at))
			}
			if out.AbortDatetime.IsZero() || at.Before(out.AbortDatetime) {
				out.AbortDatetime = at.UTC()
			}
		}
		out.Sensor = append(out.Sensor, s)
	}
	return nil
}
