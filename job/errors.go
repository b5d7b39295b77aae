package job

import "errors"

// The errors of backends that callers tell apart.
var (
	// ErrRefused: the system takes no runs for now, as during a shutdown.
	ErrRefused = errors.New("the system takes no new runs for now")
	// ErrNotRunning: there is no process to signal.
	ErrNotRunning = errors.New("the command isn't running")
	// ErrUnwatched: a job's paths can't be watched by a unit of its own.
	ErrUnwatched = errors.New("no unit of its own can watch what it waits for")
)
