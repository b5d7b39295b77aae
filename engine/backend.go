package engine

import (
	"context"
	"time"

	"jobman/job"
)

// Backend is what runs jobs: systemd (package dbusctl) or, where there is none,
// the fork supervisor (package supervisor). It knows runs by their [job.Ref],
// never what they are for. Every method has a deadline of its own, and an error
// never means "absent".
type Backend interface {
	// Manager returns the identity of what would run a job now. It MUST change
	// when that has lost sight of the runs it started (a new boot, a new user
	// manager), and MUST NOT change otherwise (a re-execution).
	Manager(ctx context.Context) (string, error)

	// Start sets `jobman exec` of the job's current run going and returns when
	// Observe would see it. A run that is already there is no error. It returns
	// an error that wraps [job.ErrRefused] where the system would take the run
	// later; after any other error nothing was started.
	Start(ctx context.Context, j *job.Job) error

	// Observe says of each run what is known of it; a run that is unknown is
	// UnitAbsent.
	Observe(ctx context.Context, runs []job.Ref) (map[job.Ref]job.Unit, error)

	// Stop asks for the end of a run's whole process tree and returns at once;
	// the backend sees to the grace by itself, also when its caller is killed.
	// A run that is over is no error.
	Stop(ctx context.Context, run job.Ref, how job.StopRequest) error

	// Signal delivers a signal to the main process of a run, nothing else. It
	// returns job.ErrNotRunning where the command isn't running.
	Signal(ctx context.Context, run job.Ref, sig job.Signal) error

	// Arm sees to it that jobman steps the job when its Armed says, and forgets
	// what it was asked for that job before. When it returns nil no process need
	// be there for that. An error that wraps [job.ErrUnwatched] asks for a Watcher.
	Arm(ctx context.Context, j *job.Job) error

	// Disarm forgets what it was asked to step the job for. A time that several
	// jobs wait for may stay.
	Disarm(ctx context.Context, id job.ID) error

	// Armed tells which of the jobs would be stepped as their Armed says.
	Armed(ctx context.Context, jobs []*job.Job) (map[job.ID]bool, error)

	// Deliver sees to it that what is due in the outbox at a time (zero: now) is
	// delivered by a process of its own, and returns without waiting for that.
	Deliver(ctx context.Context, at time.Time) error

	// Forget drops what is still remembered of runs whose end is recorded.
	Forget(ctx context.Context, runs []job.Ref) error

	Close() error
}

// Watching is a backend that can have only so many paths watched by units of the jobs'
// own. For the rest it has a watcher, see [job.Armed].
type Watching interface {
	Backend

	// Room tells whether so many paths more may be watched by a unit of the job's
	// own; those of the one that it has are not counted.
	Room(ctx context.Context, id job.ID, paths int) (bool, error)
}

// Keeper is a backend whose manager calls jobman by itself, and remembers runs
// that failed.
type Keeper interface {
	Backend

	// Keep sees to it that the manager starts a step when a run of the store
	// has ended, and the safety net every minute; or, with on false, that it
	// does neither any more.
	Keep(ctx context.Context, on bool) error

	// Unneeded makes the manager forget the times and paths that none of the
	// jobs that are returned waits for. They are asked for after what there is
	// was listed, so that none is taken for unneeded that was just made.
	Unneeded(ctx context.Context, jobs func() ([]*job.Job, error)) error

	// Failed returns the runs of the store that the manager calls failed.
	Failed(ctx context.Context) ([]job.Ref, error)
}

// Encloser is a backend that can put processes into a unit of their own.
type Encloser interface {
	Backend

	// Enclose puts the process, and all that it will start, into a unit named after an
	// event, which is stopped after a time at the latest. end stops it. A process that is
	// over already is os.ErrProcessDone.
	Enclose(ctx context.Context, event string, pid int, limit time.Duration) (end func() error, err error)
}
