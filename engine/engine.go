// Package engine carries jobs through their lives. Everything that ever happens
// to a job is one operation,
//
//	step(job):  load -> observe -> decide -> commit -> act
//
// and whatever triggers it (a command, an ended run, a timer) may do so any
// number of times, concurrently, and be killed anywhere: the next step finishes
// what was intended. The policy is job.Decide; the engine holds none.
//
// Here too is `exec`, which becomes a run's command (exec_unix.go), and what
// `ended` reads of its end (ended.go).
package engine

import (
	"math/rand/v2"
	"time"

	"jobman/job"
	"jobman/store"
	"jobman/store/tree"
)

// Engine steps the jobs of one store.
type Engine struct {
	Store store.Store
	Tree  tree.Tree
	// Backend returns the backend of a job, by its name and scope.
	Backend func(name, scope string) (Backend, error)
	// HostID is this machine's; jobs of another are left alone.
	HostID string
	// Journald looks for what takes output; default: nobody does, and all of it is
	// kept in files.
	Journald func() job.Journald
	// Rest brings in what is left of the output of a job's current run, which is over;
	// default: nothing is.
	Rest func(*job.Job) error
	// Sensors look at what jobs wait for.
	Sensors Sensors
	// Callbacks tell of events; only who delivers needs them.
	Callbacks Callbacks
	// Patient: this process may wait for polled conditions to be checked. Others
	// leave them to a process that does nothing else.
	Patient bool
	// Log takes what is not worth failing for; default: nowhere.
	Log func(error)
	// Now is the clock; default time.Now.
	Now func() time.Time
}

func (e *Engine) now() time.Time {
	if e.Now != nil {
		return e.Now().UTC()
	}
	return time.Now().UTC()
}

// observation begins an observation of anything.
func (e *Engine) observation() job.Observation {
	return job.Observation{Now: e.now(), Random: rand.Float64()}
}

func (e *Engine) log(err error) {
	if err != nil && e.Log != nil {
		e.Log(err)
	}
}

func (e *Engine) journald() job.Journald {
	if e.Journald == nil {
		return job.Journald{Why: "nobody looked for journald"}
	}
	return e.Journald()
}
