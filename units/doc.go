// Package units turns runs and triggers into systemd units: names and typed
// properties, nothing else. It is pure; package dbusctl sends what it builds.
//
// A run is a service of its own in the slice of its group. With it, in the same
// call, come a socket unit that holds the two FIFOs its output goes to, and the
// service of the pump, which that socket starts at the first byte:
//
//	jobman-<uuid>-<n>.service          the run: jobman exec, ended as its stop-post
//	jobman-pump-<uuid>-<n>.socket      the FIFOs; stops when the run no longer needs it
//	jobman-pump-<uuid>-<n>.service     jobman pump; stopped with its socket, drains first
//	jobman-step-<store>.path           the inbox: DirectoryNotEmpty=
//	jobman-step-<store>.service        jobman step; also the run's OnFailure=
//	jobman-reconcile-<store>.timer     the safety net: every minute
//	jobman-reconcile-<store>.service   jobman reconcile
//	jobman-wake-<store>-<moment>.timer what is due then: `jobman step STORE`
//	jobman-<uuid>-w<rev>.timer         a job that polls: `jobman step STORE JOB`
//	jobman-<uuid>-w<rev>f<n>.path      a job that waits for files or other jobs: n paths
//	jobman-watch-<store>.service       the same for all jobs that wait for too many
//	jobman-<uuid>-t<time>.timer        the end of a grace
//	jobman-<uuid>-<n>-late.timer       the end of a run's time and of a grace; goes with the run
//
// All values are those of the D-Bus interface (org.freedesktop.systemd1(5)):
// times in microseconds, command lines as arrays. systemd expands $ in the
// arguments of ExecStart=, also over D-Bus, so it is doubled.
package units

// Unit is a transient unit to be.
type Unit struct {
	Name       string
	Properties []Property
}

// Property is a property of a unit; the Go type of Value gives the D-Bus type.
type Property struct {
	Name  string
	Value any
}

// Exec is a command line of the type a(sasb).
type Exec struct {
	Path          string
	Args          []string
	IgnoreFailure bool
}

// Listen is an address that a socket unit holds, of the type a(ss).
type Listen struct {
	Kind string
	Path string
}

// Statuses is the type of SuccessExitStatus=: exit codes and signal numbers.
type Statuses struct {
	Codes   []int32
	Signals []int32
}

// Watch is a condition of a path unit, of the type a(ss).
type Watch struct {
	Kind string
	Path string
}

// Calendar is a trigger of a timer unit at a moment, of the type a(ss).
type Calendar struct {
	Base string
	Spec string
}

// Timer is a trigger of a timer unit, of the type a(st); in microseconds.
type Timer struct {
	Base string
	USec uint64
}
