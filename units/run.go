package units

import (
	"fmt"
	"time"

	"jobman/job"
)

// Run is all that the units of a run are built from.
type Run struct {
	Ref  job.Ref
	Spec *job.Spec
	Dir  string // the run's directory: the one argument of exec, ended and pump
	Exe  string // absolute path of jobman
	Step string // name of the service that takes in ended runs
	// Properties are those that the user asks for, see ParseProperty.
	Properties []Property
	Limit      time.Duration // how long it may take; 0: as long as it wants
	// Late are units that come with the run and go with it, see Steps.Late.
	Late  []Unit
	FIFOs FIFOs
	Sink  job.Sink // where its output goes; FIFOs is empty for journal
}

// FIFOs is what the names of the two FIFOs begin with that a run's output goes
// to; empty where all of it is discarded.
type FIFOs string

// Stdout is the path of the FIFO for stdout.
func (f FIFOs) Stdout() string { return string(f) + ".stdout" }

// Stderr is the path of the FIFO for stderr.
func (f FIFOs) Stderr() string { return string(f) + ".stderr" }

// FIFOsIn names the FIFOs of a run below a runtime directory.
func FIFOsIn(runtime string, r job.Ref) FIFOs {
	return FIFOs(fmt.Sprintf("%s/jobman/%s-%d", runtime, r.ID, r.Run))
}

// AfterGrace is what stop-post has after a run's grace is over, to bring in the rest
// of the output and to leave its record. minStop is the least that it has in all:
// TimeoutStopSec= bounds ExecStopPost= too, and 0 would kill it even after a natural
// end.
const (
	AfterGrace = 3 * time.Second
	minStop    = 8 * time.Second
)

// StopTime is the time that systemd gives each part of a stop: the command, and
// stop-post, which waits for what is left of the tree.
func StopTime(grace time.Duration) time.Duration { return max(grace+AfterGrace, minStop) }

// Units returns the run's service and the auxiliary units that come with it.
func (r Run) Units() (Unit, []Unit) {
	service := Unit{RunName(r.Ref), []Property{
		{"Description", r.description()},
		{"Slice", SliceName(r.Spec.Group)},
		{"Type", "simple"},
		// Everything about the command itself (directory, environment, limits,
		// user) is done by exec: systemd would expand, drop or refuse parts of
		// it, show it to every local user, and not run stop-post when it fails.
		{"WorkingDirectory", "/"},
		{"ExecStart", []Exec{{Path: r.Exe, Args: r.args("exec")}}},
		// Not ExecStopPostEx: systemd 252 writes that name into the transient
		// unit's file, where it means nothing, and daemon-reload drops it.
		{"ExecStopPost", []Exec{{Path: r.Exe, Args: r.args("ended")}}},
		{"KillMode", "control-group"},
		{"KillSignal", int32(r.stopSignal().Number())},
		{"TimeoutStopUSec", usec(StopTime(time.Duration(r.Spec.StopGrace)))},
		// A command that fails is not a failed unit: `systemctl --failed` is the
		// operator's, and the exit record tells more. The unit should fail only
		// where stop-post does: then it stays loaded with the main process's end.
		{"SuccessExitStatus", cleanStatuses},
		{"OnFailure", []string{r.Step}},
		{"IgnoreSIGPIPE", false},
		{"SyslogIdentifier", "jobman"},
	}}
	if r.Sink == job.SinkJournal {
		// What is above journald's limit would be lost. (In user scope it counts by
		// user, whatever this says.) 0 would mean none, but 252 does not pass it on.
		service.Properties = append(service.Properties,
			Property{"LogRateLimitIntervalUSec", usec(time.Second)},
			Property{"LogRateLimitBurst", uint32(100_000_000)})
	}
	service.Properties = append(service.Properties, r.Properties...)
	if r.Limit > 0 {
		service.Properties = append(service.Properties, Property{"RuntimeMaxUSec", usec(r.Limit)})
	}
	var wants []string
	if len(r.Late) > 0 {
		wants = append(wants, r.Late[0].Name)
	}
	pump := pumpName(r.Ref)
	if r.FIFOs != "" {
		wants = append(wants, pump+".socket")
	}
	if len(wants) > 0 {
		// Wants, not Requires: where the FIFOs can't be made, exec says so.
		service.Properties = append(service.Properties, Property{"Wants", wants})
	}
	if r.FIFOs == "" {
		return service, r.Late
	}
	service.Properties = append(service.Properties, Property{"After", []string{pump + ".socket"}})
	return service, append(r.Late,
		Unit{pump + ".socket", []Property{
			{"Description", "output of " + RunName(r.Ref)},
			{"Listen", []Listen{{"FIFO", r.FIFOs.Stdout()}, {"FIFO", r.FIFOs.Stderr()}}},
			{"SocketMode", uint32(0o600)},
			{"DirectoryMode", uint32(0o700)},
			{"RemoveOnStop", true},
			{"StopWhenUnneeded", true},
			// The pump is started at every first byte after it went idle, and
			// again when it was killed; a limit would close the FIFOs.
			{"TriggerLimitIntervalUSec", uint64(0)},
			{"CollectMode", "inactive-or-failed"},
		}},
		Unit{pump + ".service", []Property{
			{"Description", "pump of " + RunName(r.Ref)},
			{"Type", "simple"},
			{"WorkingDirectory", "/"},
			{"ExecStart", []Exec{{Path: r.Exe, Args: r.args("pump")}}},
			// Not BindsTo: a socket that its own service needs is never unneeded.
			{"PartOf", []string{pump + ".socket"}},
			{"After", []string{pump + ".socket"}},
			{"StartLimitIntervalUSec", uint64(0)},
			// What it had taken when it was killed does not wait for more.
			{"Restart", "on-abnormal"},
			{"CollectMode", "inactive-or-failed"},
			{"SyslogIdentifier", "jobman"},
		}})
}

// stopSignal is what systemd sends first. Without a grace that is SIGKILL: the
// time for stop-post is none for the command.
func (r Run) stopSignal() job.Signal {
	if r.Spec.StopGrace <= 0 {
		return "KILL"
	}
	return r.Spec.StopSignal
}

// EndedFailed is the exit code of an `ended` that could not leave its record; a
// Go program that panics has the same.
const EndedFailed = 2

// cleanStatuses are the exit codes of the command that systemd is to take for
// clean. It takes them for clean of stop-post as well, so those are left out that
// tell that stop-post failed: its own, systemd's for a process that it could not
// execute, and all signals. A unit that fails because its command ended like that
// is forgotten when its end is recorded.
var cleanStatuses = func() Statuses {
	var s Statuses
	for code := range int32(256) {
		if code != EndedFailed && (code < 200 || code > 243) {
			s.Codes = append(s.Codes, code)
		}
	}
	return s
}()

// args is the command line of an internal verb. It is told what the
// names of the FIFOs begin with, if there are any, and everybody who has to do with
// it that journald is the sink, or one.
func (r Run) args(verb string) []string {
	argv := []string{r.Exe, verb, r.Dir}
	if r.FIFOs != "" {
		argv = append(argv, string(r.FIFOs))
	}
	if r.Sink == job.SinkJournal || r.Sink == job.SinkBoth && verb != "exec" {
		argv = append(argv, string(r.Sink))
	}
	return escapeArgs(argv...)
}

// description names the job for people. Any local user can read it, so it never
// shows a command line, which is what the name of a job without one is.
func (r Run) description() string {
	name := r.Spec.Name
	if name == job.DefaultName(r.Spec.Command) {
		name = r.Ref.ID.Short()
	}
	if runes := []rune(name); len(runes) > 80 {
		name = string(runes[:80]) + "…"
	}
	return "jobman: " + name
}

func usec(d time.Duration) uint64 { return uint64(d / time.Microsecond) }
