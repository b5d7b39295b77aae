package tree

import (
	"path/filepath"

	"jobman/events"
	"jobman/job"
)

// Log is the store's own jobman.log: what concerns no one job.
func (t Tree) Log() events.Log { return events.Log(filepath.Join(string(t), events.Name)) }

// JobLog is the jobman.log of a job.
func (t Tree) JobLog(id job.ID) events.Log { return events.Log(filepath.Join(t.Job(id), events.Name)) }

// Log is the jobman.log of the run.
func (r Run) Log() events.Log { return events.Log(r.File(events.Name)) }
