package job

import (
	"iter"
	"time"
)

// Retention says how much output of completed runs is kept. Zero values are no
// limits. What it leaves no room for is deleted, the oldest first; records are
// not. How many runs of one job are kept is decided where they end, see settle.
type Retention struct {
	Bytes int64     // of the output of all runs of all jobs
	Held  int64     // bytes that count, but can't be deleted: of active runs
	Jobs  int       // completed jobs
	Since time.Time // of jobs that completed before this nothing is kept
}

// Any tells whether there is any limit.
func (r Retention) Any() bool { return r.Bytes > 0 || r.Jobs > 0 || !r.Since.IsZero() }

// ExcessJobs chooses the jobs whose output is not to be kept, at most so many, of
// count completed ones that come with the time of their end, the oldest first.
func (r Retention) ExcessJobs(count int, oldest iter.Seq2[ID, time.Time], atMost int) (jobs []ID) {
	for id, ended := range oldest {
		tooMany := r.Jobs > 0 && count > r.Jobs
		if len(jobs) == atMost || !tooMany && !ended.Before(r.Since) {
			break
		}
		jobs = append(jobs, id)
		count--
	}
	return jobs
}

// ExcessRuns chooses the completed runs whose output is not to be kept, at most so
// many, of those that come with the size of their output, the oldest end first; total
// is the size of all.
func (r Retention) ExcessRuns(total int64, oldest iter.Seq2[Ref, int64], atMost int) (runs []Ref) {
	if r.Bytes <= 0 {
		return nil
	}
	for ref, bytes := range oldest {
		if len(runs) == atMost || total+r.Held <= r.Bytes {
			break
		}
		runs = append(runs, ref)
		total -= bytes
	}
	return runs
}
