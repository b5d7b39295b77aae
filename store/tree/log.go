package tree

import (
	"path/filepath"
	"strconv"

	"jobman/events"
	"jobman/job"
)

// Log is the store's own jobman.log: what concerns no one job.
func (t Tree) Log() events.Log { return events.Log(filepath.Join(string(t), events.Name)) }

// JobLog is the jobman.log of a job.
func (t Tree) JobLog(id job.ID) events.Log { return events.Log(filepath.Join(t.Job(id), events.Name)) }

// Log is the jobman.log of the run.
func (r Run) Log() events.Log { return events.Log(r.File(events.Name)) }

// ended is the event of a run's end.
func ended(e *job.Exit) events.Event {
	code, asked := "", ""
	if e.Code != nil {
		code = strconv.Itoa(*e.Code)
	}
	if e.StopQueued {
		asked = "yes"
	}
	return events.New(events.Info, "ended", "code", code, "signal", e.Signal, "service", e.ServiceResult, "asked", asked, "error", e.StartError)
}
