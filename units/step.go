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

// Units returns the path unit that watches the inbox, and the service that it
// starts.
func (s Steps) Units() (Unit, []Unit) {
	path := Unit{StepName(s.Store, s.Exe) + ".path", []Property{
		{"Description", "ended jobs of jobman"},
		{"Paths", []Watch{{"DirectoryNotEmpty", s.Inbox}}},
		{"CollectMode", "inactive-or-failed"},
	}}
	if s.Version >= pathLimits {
		path.Properties = append(path.Properties, Property{"TriggerLimitIntervalUSec", uint64(0)})
	}
	return path, []Unit{s.service(s.Name(), "jobman takes in ended jobs")}
}

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
	}}, []Unit{s.service(name+".service", "jobman steps "+id.Short(), string(id))}
}

func (s Steps) service(name, description string, args ...string) Unit {
	return Unit{name, []Property{
		{"Description", description},
		{"Type", "simple"},
		{"WorkingDirectory", "/"},
		{"ExecStart", []Exec{{Path: s.Exe, Args: escapeArgs(append([]string{s.Exe, "step", s.Store}, args...)...)}}},
		// A step lingers, so this limit is out of reach unless it can't even
		// start; then the path unit must not start it for ever.
		{"StartLimitIntervalUSec", usec(10 * time.Second)},
		{"StartLimitBurst", uint32(200)},
		{"CollectMode", "inactive-or-failed"},
		{"SyslogIdentifier", "jobman"},
	}}
}
