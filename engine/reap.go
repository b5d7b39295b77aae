package engine

import (
	"context"
	"time"

	"jobman/failpoint"
	"jobman/job"
	"jobman/store"
)

// reapRounds is how many transactions of reaping the safety net does at a time; of
// what there is more it does the rest the next time.
const reapRounds = 10

// retention is what the configuration says, beside a limit of all output; 0: none.
func (e *Engine) retention(ctx context.Context, limit job.Size) (keep job.Retention, err error) {
	settings, err := e.Tree.Reaper()
	if err != nil {
		return keep, err
	}
	keep.Bytes, keep.Jobs = int64(limit), settings.MaxJobs
	if settings.MaxAge > 0 {
		keep.Since = e.now().Add(-time.Duration(settings.MaxAge))
	}
	if keep.Bytes > 0 {
		keep.Held, err = e.held(ctx)
	}
	return keep, err
}

// reap deletes output that there is no room for, in so many transactions at most.
func (e *Engine) reap(ctx context.Context, keep job.Retention, rounds int) (err error) {
	failpoint.Hit("reap")
	for more := true; more && rounds > 0; rounds-- {
		if more, err = e.Store.Reap(ctx, nil, keep); err != nil {
			return err
		}
		failpoint.Hit("reaped")
	}
	return nil
}

// held is how much output there is of active runs.
func (e *Engine) held(ctx context.Context) (bytes int64, err error) {
	jobs, err := e.Store.Query(ctx, store.Filter{Active: true, Brief: true})
	if err != nil {
		return 0, err
	}
	for _, j := range jobs {
		if r := j.Last(); r == nil || !r.Active() {
			continue
		}
		n, err := e.Tree.Run(j.Ref()).LogBytes()
		if err != nil {
			return 0, err
		}
		bytes += n
	}
	return bytes, nil
}

// reapAfterEnds deletes what there is no room for now that runs have ended; limit is
// the least log.job.max-bytes of their jobs, 0: none.
func (e *Engine) reapAfterEnds(ctx context.Context, limit job.Size) error {
	keep, err := e.retention(ctx, limit)
	if err != nil || !keep.Any() {
		return err
	}
	return e.reap(ctx, keep, 1)
}

// reapLeft deletes what those have left that were killed over it, and what has grown
// too old.
func (e *Engine) reapLeft(ctx context.Context) error {
	keep, err := e.retention(ctx, 0)
	e.log(err) // what was begun is finished all the same
	return e.reap(ctx, keep, reapRounds)
}

// least is the lesser of two limits, of which 0 is none.
func least(a, b job.Size) job.Size {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
