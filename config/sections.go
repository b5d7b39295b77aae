package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobman/job"
)

// sensorKeys are those of [sensors.NAME].
var sensorKeys = []Option{
	{Name: "type", Type: "string", Enum: []string{"datetime", "timedelta", "file", "nonopen-file", "script", "http", "s3", "job"}, Help: "What is waited for."},
	{Name: "at", Type: "string", Help: "Of a datetime: the time."},
	{Name: "after", Type: "string", Help: "Of a timedelta: how long after the submission."},
	{Name: "paths", Type: "string", List: true, Help: "Of a file or a nonopen-file: paths, or globs."},
	{Name: "scripts", Type: "string", List: true, Help: "Of a script: executables that end with 0."},
	{Name: "urls", Type: "string", List: true, Help: "Of http or s3: URLs."},
	{Name: "job", Type: "string", List: true, Help: "Of a job: JOB[:success|failure|any]."},
	{Name: "delay", Type: "string", Default: "0s", Help: "How long after it holds the sensor is met; it must hold then still."},
	{Name: "any", Type: "boolean", Default: "false", Help: "One of several paths, scripts, URLs or jobs is enough."},
	{Name: "poll-interval", Type: "string", Help: "How long after a check the next (default: that of the job)."},
	{Name: "not-after", Type: "string", Help: "Fail if no run has started by then."},
}

// sensorTargets is the key that says what a sensor of a kind waits for.
var sensorTargets = map[string]string{
	"datetime": "at", "timedelta": "after", "file": "paths", "nonopen-file": "paths", "script": "scripts", "http": "urls", "s3": "urls", "job": "job",
}

// Sensor is one of [sensors], as it is written: whoever uses it reads the times.
type Sensor struct {
	Name         string
	Kind         job.Kind
	Targets      []string
	Any          bool
	Delay        job.Duration
	PollInterval job.Duration // 0: that of the job
	NotAfter     string       // "": never too late
}

// Sensor returns the sensor of a name.
func (s *Settings) Sensor(name string) (Sensor, error) {
	out := Sensor{Name: name}
	layers := s.of(sectionSensors, name)
	if len(layers) == 0 {
		return out, s.missing(sectionSensors, "sensor", name)
	}
	keys := merge(layers)
	kind, ok := keys["type"]
	if !ok {
		return out, Problem{File: layers[0][0].File(), Key: sectionSensors + "." + tomlKey(name), Text: "it has no type"}
	}
	if sensorTargets[kind.Text] == "" {
		return out, kind.Problem(fmt.Sprintf("there is no type %q; there are %s", kind.Text, strings.Join(find(sensorKeys, "type").Enum, ", ")))
	}
	out.Kind = job.Kind(kind.Text)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if problem := out.take(keys[key]); problem != nil {
			return out, *problem
		}
	}
	if len(out.Targets) == 0 {
		return out, kind.Problem(fmt.Sprintf("a sensor of the type %s needs %s", kind.Text, sensorTargets[kind.Text]))
	}
	return out, nil
}

// take takes in one key of a sensor.
func (out *Sensor) take(set Setting) *Problem {
	var err error
	switch set.Option {
	case "type":
	case "delay":
		out.Delay, err = job.ParseDuration(set.Text)
	case "poll-interval":
		out.PollInterval, err = job.ParseDuration(set.Text)
		if err == nil && (out.PollInterval <= 0 || !out.Kind.Polled()) {
			err = fmt.Errorf("it must be longer than nothing, and is for script, http, s3 and nonopen-file")
		}
	case "any":
		out.Any, err = strconv.ParseBool(set.Text)
	case "not-after":
		out.NotAfter = set.Text
		_, err = job.ParseMoment(set.Text, time.Now())
	case sensorTargets[string(out.Kind)]:
		out.Targets = set.List
		if set.List == nil {
			out.Targets = []string{set.Text}
		}
		for _, target := range out.Targets {
			switch out.Kind {
			case job.KindDatetime:
				_, err = job.ParseMoment(target, time.Now())
			case job.KindTimedelta:
				_, err = job.ParseDuration(target)
			}
		}
	default:
		err = fmt.Errorf("it is not for the type %s, which has %s", out.Kind, sensorTargets[string(out.Kind)])
	}
	if err != nil {
		problem := set.Problem(err.Error())
		return &problem
	}
	return nil
}

// merge is what holds of a section's table that several files have.
func merge(layers []layer) map[string]Setting {
	keys := map[string]Setting{}
	for _, l := range layers {
		for _, set := range l {
			if _, stronger := keys[set.Option]; !stronger {
				keys[set.Option] = set
			}
		}
	}
	maps.DeleteFunc(keys, func(_ string, set Setting) bool { return set.clears() })
	return keys
}

// reaperKeys are those of [reaper].
var reaperKeys = []Option{
	{Name: "max_jobs", Type: "integer", Help: "Keep the output of that many jobs, and delete that of the oldest completed ones."},
	{Name: "max_age", Type: "string", Help: "Delete the output of jobs that completed longer ago than this."},
}

// Reaper says what of the output of completed jobs is deleted; 0: nothing.
type Reaper struct {
	MaxJobs int
	MaxAge  job.Duration
}

// Reaper returns what [reaper] says.
func (s *Settings) Reaper() (r Reaper, err error) {
	if set, ok := s.Find(sectionReaper, "max_jobs"); ok {
		if r.MaxJobs, err = strconv.Atoi(set.Text); err != nil || r.MaxJobs < 1 {
			return r, set.Problem(fmt.Sprintf("%q is no number from 1", set.Text))
		}
	}
	if set, ok := s.Find(sectionReaper, "max_age"); ok {
		if r.MaxAge, err = job.ParseDuration(set.Text); err != nil {
			return r, set.Problem(err.Error())
		}
		if r.MaxAge <= 0 {
			return r, set.Problem("it must be longer than nothing")
		}
	}
	return r, nil
}
