package units

import (
	"fmt"
	"time"

	"jobman/job"
)

// pathLimits is the first version of systemd whose path units have trigger
// limits, which must be lifted there; before, the property is an error.
const pathLimits = 250

// Steps is all that the units are built from that call `jobman step`.
type Steps struct {
	Store   string // the store's directory
	Exe     string // absolute path of jobman
	Inbox   string // the directory that ended runs are dropped into
	Version int    // systemd's
}

// Name is the name of the service that takes in the ended runs.
func (s Steps) Name() string { return StepName(s.Store, s.Exe) + ".service" }

// Path is the name of the path unit that watches the inbox.
func (s Steps) Path() string { return StepName(s.Store, s.Exe) + ".path" }

// Timer is the name of the timer unit of the safety net.
func (s Steps) Timer() string { return netName(s.Store, s.Exe) + ".timer" }

// Watch returns the path unit that watches the inbox, and the service that it
// starts.
func (s Steps) Watch() (Unit, []Unit) {
	path := Unit{s.Path(), []Property{
		{"Description", "ended jobs of jobman"},
		{"Paths", []Watch{{"DirectoryNotEmpty", s.Inbox}}},
		{"CollectMode", "inactive-or-failed"},
	}}
	if s.Version >= pathLimits {
		path.Properties = append(path.Properties, Property{"TriggerLimitIntervalUSec", uint64(0)})
	}
	return path, []Unit{s.service(s.Name(), "jobman takes in ended jobs", "step", s.Store)}
}

// Net returns the timer unit of the safety net, and the service that it starts.
func (s Steps) Net() (Unit, []Unit) {
	return Unit{s.Timer(), []Property{
		{"Description", "jobman looks after incomplete jobs"},
		{"TimersMonotonic", []Timer{{"OnActiveSec", usec(netInterval)}, {"OnUnitInactiveSec", usec(netInterval)}}},
		{"AccuracyUSec", usec(netInterval / 10)},
		{"CollectMode", "inactive-or-failed"},
	}}, []Unit{s.service(netName(s.Store, s.Exe)+".service", "jobman looks after incomplete jobs", "reconcile", s.Store)}
}

// netInterval is how often the safety net comes along.
const netInterval = time.Minute

// Later returns a timer that steps one job after a while. gen makes the name
// its own: a timer that is loaded can't be armed anew.
func (s Steps) Later(id job.ID, gen int64, after time.Duration) (Unit, []Unit) {
	name := fmt.Sprintf("jobman-%s-t%d", id, gen)
	return Unit{name + ".timer", []Property{
		{"Description", "jobman looks at " + id.Short() + " again"},
		{"TimersMonotonic", []Timer{{"OnActiveSec", usec(after)}}},
		{"AccuracyUSec", uint64(1000)},
		{"RemainAfterElapse", false},
		{"CollectMode", "inactive-or-failed"},
	}}, []Unit{s.service(name+".service", "jobman steps "+id.Short(), "step", s.Store, string(id))}
}

func (s Steps) service(name, description string, args ...string) Unit {
	return Unit{name, []Property{
		{"Description", description},
		{"Type", "simple"},
		{"WorkingDirectory", "/"},
		// A failure is in the journal and is made good by the safety net: no
		// failed unit, which is for the operator to mend.
		{"ExecStart", []Exec{{Path: s.Exe, Args: escapeArgs(append([]string{s.Exe}, args...)...), IgnoreFailure: true}}},
		// A step lingers, so this limit is out of reach unless it can't even
		// start; then the path unit must not start it for ever.
		{"StartLimitIntervalUSec", usec(10 * time.Second)},
		{"StartLimitBurst", uint32(200)},
		{"CollectMode", "inactive-or-failed"},
		{"SyslogIdentifier", "jobman"},
	}}
}
