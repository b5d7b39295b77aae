package units

import (
	"fmt"
	"strconv"
	"strings"
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
	return s.path(s.Path(), "ended jobs of jobman", []Watch{{"DirectoryNotEmpty", s.Inbox}}),
		[]Unit{s.service(s.Name(), "jobman takes in ended jobs", "step", s.Store)}
}

// path returns a path unit without limits.
func (s Steps) path(name, description string, watches []Watch) Unit {
	unit := Unit{name, []Property{
		{"Description", description},
		{"Paths", watches},
		{"CollectMode", "inactive-or-failed"},
	}}
	if s.Version >= pathLimits {
		unit.Properties = append(unit.Properties, Property{"TriggerLimitIntervalUSec", uint64(0)})
	}
	return unit
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
	return s.timer(name, time.Time{}, after, id)
}

// Late returns the timer that steps the job of a run when that is there too long,
// and its service. The timer is to be wanted by the run, with which it goes.
func (s Steps) Late(run job.Ref, after time.Duration) []Unit {
	timer, services := s.timer(fmt.Sprintf("jobman-%s-%d-late", run.ID, run.Run), time.Time{}, after, run.ID)
	timer.Properties = append(timer.Properties, Property{"StopWhenUnneeded", true})
	return append([]Unit{timer}, services...)
}

// Wake returns the timer that steps all jobs which are due at a moment, and its
// service. Jobs that wait for the same moment share it. after is how far away
// the moment is: a calendar time that has passed when it is armed never fires.
func (s Steps) Wake(at time.Time, after time.Duration) (Unit, []Unit) {
	return s.timer(s.WakeName(at), at, after, "")
}

// WakeName is the name, without suffix, of the units that step what is due at a
// moment.
func (s Steps) WakeName(at time.Time) string {
	return fmt.Sprintf("%s%d", s.wakePrefix(), at.UnixMicro())
}

func (s Steps) wakePrefix() string { return "jobman-wake-" + tag(s.Store, s.Exe) + "-" }

// WakePattern matches the timers of all moments.
func (s Steps) WakePattern() string { return s.wakePrefix() + "*.timer" }

// Own returns the timer that steps one waiting job, and its service.
func (s Steps) Own(id job.ID, rev int, at time.Time, after time.Duration) (Unit, []Unit) {
	return s.timer(OwnName(id, rev), at, after, id)
}

// OwnName is the name, without suffix, of the units that step one waiting job.
// rev counts how often it was armed.
func OwnName(id job.ID, rev int) string { return fmt.Sprintf("jobman-%s-w%d", id, rev) }

// OwnPattern matches the triggers of waiting jobs, of one or (with no id) of all.
func OwnPattern(id job.ID) string {
	if id == "" {
		return "jobman-*-w*"
	}
	return fmt.Sprintf("jobman-%s-w*", id)
}

// ParseOwn reads the name of a trigger of a waiting job back.
func ParseOwn(unit string) (id job.ID, rev int, ok bool) {
	s, found := strings.CutPrefix(unit, "jobman-")
	if !found || len(s) < 38 || !job.IsID(s[:36]) || s[36:38] != "-w" {
		return "", 0, false
	}
	number, _, _ := strings.Cut(s[38:], ".")
	number, _, _ = strings.Cut(number, "f")
	rev, err := strconv.Atoi(number)
	return job.ID(s[:36]), rev, err == nil
}

// FilesName is the name, without suffix, of the units that step one waiting job
// when a path has changed. In it is how many paths are watched: each costs systemd
// one of the user's inotify instances, of which there are few.
func FilesName(id job.ID, armed job.Armed) string {
	return fmt.Sprintf("%sf%d", OwnName(id, armed.Rev), len(armed.Watches))
}

// FilesPattern matches the path units of all waiting jobs.
const FilesPattern = "jobman-*-w*f*.path"

// ParseFiles reads the name of a path unit back: whose it is, and how many paths it
// watches.
func ParseFiles(unit string) (id job.ID, paths int, ok bool) {
	id, _, ok = ParseOwn(unit)
	s, isPath := strings.CutSuffix(unit, ".path")
	if !ok || !isPath {
		return "", 0, false
	}
	paths, err := strconv.Atoi(s[strings.LastIndexByte(s, 'f')+1:])
	return id, paths, err == nil
}

// Files returns the path unit that steps one waiting job, and its service.
func (s Steps) Files(id job.ID, armed job.Armed) (Unit, []Unit) {
	paths := make([]Watch, len(armed.Watches))
	for i, w := range armed.Watches {
		paths[i] = Watch{w.Kind, string(w.Path)}
	}
	name := FilesName(id, armed)
	args := []string{"step", s.Store, string(id), "files"}
	if armed.Edges() {
		// While its service runs a path unit sees no changes.
		args[3] = "rearm"
	}
	return s.path(name+".path", "what "+id.Short()+" waits for", paths),
		[]Unit{s.service(name+".service", "jobman steps "+id.Short(), args...)}
}

// WatcherName is the name of the service that watches for all jobs of the store for
// which there are too many paths.
func (s Steps) WatcherName() string { return "jobman-watch-" + tag(s.Store, s.Exe) + ".service" }

// Watcher returns that service. The steps that it has started go on without it.
func (s Steps) Watcher() (Unit, []Unit) {
	unit := s.resident(s.WatcherName(), "jobman watches files for waiting jobs", "watch")
	unit.Properties = append(unit.Properties, Property{"KillMode", "process"})
	return unit, nil
}

// DelivererName is the name of the service that delivers from the outbox.
func (s Steps) DelivererName() string { return s.deliverer() + ".service" }

func (s Steps) deliverer() string { return "jobman-deliver-" + tag(s.Store, s.Exe) }

// Deliverer returns that service.
func (s Steps) Deliverer() (Unit, []Unit) {
	return s.resident(s.DelivererName(), "jobman tells callbacks", "deliver"), nil
}

// DeliverAt returns a timer that delivers what is due at a moment, and its service.
// after is how far away the moment is.
func (s Steps) DeliverAt(at time.Time, after time.Duration) (Unit, []Unit) {
	name := fmt.Sprintf("%s-%d", s.deliverer(), at.Unix())
	return timerUnit(name, "jobman tells callbacks again", at, after), []Unit{s.resident(name+".service", "jobman tells callbacks", "deliver")}
}

// Callback returns the scope of a callback's script, a process that was started
// already. It is stopped after a time at the latest.
func Callback(event string, pid int, limit time.Duration) Unit {
	return Unit{"jobman-callback-" + event + ".scope", []Property{
		{"Description", "a callback of jobman"},
		{"PIDs", []uint32{uint32(pid)}},
		{"RuntimeMaxUSec", usec(limit)},
		{"TimeoutStopUSec", usec(callbackGrace)},
		{"CollectMode", "inactive-or-failed"},
	}}
}

// callbackGrace is how long what a script has left behind has to end.
const callbackGrace = 2 * time.Second

// resident returns a service that stays for as long as there is something to do. One
// that was killed comes back; one with which something is wrong leaves its work to the
// safety net after ten times, which tries it again.
func (s Steps) resident(name, description, verb string) Unit {
	return Unit{name, []Property{
		{"Description", description},
		{"Type", "simple"},
		{"WorkingDirectory", "/"},
		{"ExecStart", []Exec{{Path: s.Exe, Args: escapeArgs(s.Exe, verb, s.Store)}}},
		{"Restart", "on-failure"},
		{"RestartUSec", usec(100 * time.Millisecond)},
		{"StartLimitIntervalUSec", usec(30 * time.Second)},
		{"StartLimitBurst", uint32(10)},
		{"CollectMode", "inactive-or-failed"},
		{"SyslogIdentifier", "jobman"},
	}}
}

// lastCalendarYear is the last that systemd takes.
const lastCalendarYear = 2190

// timer returns a timer that elapses at a moment, if there is one, and after a
// while: the first survives clocks that are set and suspends, the second fires
// also if the moment has passed by the time that the timer is armed. systemd
// fires once for both. It steps one job, or what is due of all.
func (s Steps) timer(name string, at time.Time, after time.Duration, id job.ID) (Unit, []Unit) {
	look, step, what := "jobman looks at waiting jobs", "jobman steps what is due", "due"
	if id != "" {
		look, step, what = "jobman looks at "+id.Short()+" again", "jobman steps "+id.Short(), string(id)
	}
	return timerUnit(name, look, at, after), []Unit{s.service(name+".service", step, "step", s.Store, what)}
}

func timerUnit(name, look string, at time.Time, after time.Duration) Unit {
	unit := Unit{name + ".timer", []Property{
		{"Description", look},
		{"TimersMonotonic", []Timer{{"OnActiveSec", usec(max(after, time.Millisecond))}}},
		{"AccuracyUSec", uint64(1000)},
		{"RemainAfterElapse", false},
		{"CollectMode", "inactive-or-failed"},
	}}
	if !at.IsZero() && after > 0 && at.Year() <= lastCalendarYear {
		unit.Properties = append(unit.Properties, Property{"TimersCalendar", []Calendar{{"OnCalendar", at.UTC().Format("2006-01-02 15:04:05.000000 UTC")}}})
	}
	return unit
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
