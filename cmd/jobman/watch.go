package main

import (
	"context"
	"errors"
	"time"

	"github.com/fsnotify/fsnotify"

	"jobman/job"
	"jobman/store"
)

// Jobs that nothing was heard of are looked at all the same, soon at first and
// then rarely: who waits also notices a run that ended without anybody to tell,
// such as one that was stopped before its command was executed.
const (
	firstCheck = 50 * time.Millisecond
	lastCheck  = 2 * time.Second
)

// await calls each for every job as it completes, in the order in which that is
// seen, until all have, or each returns false. It returns the jobs as they are
// then, in the order given. A job that is deleted meanwhile counts as completed.
func (a *app) await(ctx context.Context, jobs []*job.Job, each func(*job.Job) bool) ([]*job.Job, error) {
	return a.awaitUntil(ctx, jobs, (*job.Job).Completed, each)
}

// awaitOne waits until something is so of a job, or it completes.
func (a *app) awaitOne(ctx context.Context, j *job.Job, so func(*job.Job) bool) (*job.Job, error) {
	jobs, err := a.awaitUntil(ctx, []*job.Job{j}, func(j *job.Job) bool { return j.Completed() || so(j) }, func(*job.Job) bool { return true })
	return jobs[0], err
}

// runOver tells whether a run of the job has ended.
func runOver(n int) func(*job.Job) bool {
	return func(j *job.Job) bool {
		r := j.Run(n)
		return r != nil && !r.Active() || r == nil && j.RunCount > n
	}
}

// awaitUntil is await for what over tells of a job.
func (a *app) awaitUntil(ctx context.Context, jobs []*job.Job, over, each func(*job.Job) bool) ([]*job.Job, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	events := a.stateChanges(watching, jobs)
	out := append([]*job.Job(nil), jobs...)
	told := make([]bool, len(out))
	for check := firstCheck; ; check = min(2*check, lastCheck) {
		left, err := a.refresh(ctx, out, told, over)
		if err != nil {
			return out, err
		}
		for i, j := range out {
			if over(j) && !told[i] {
				told[i] = true
				if !each(j) {
					return out, nil
				}
			}
		}
		if left == 0 {
			return out, nil
		}
		select {
		case <-events:
		case <-time.After(check):
		case <-ctx.Done():
			return out, context.Cause(ctx)
		}
	}
}

// refresh looks at the jobs that are not told of yet, and returns how many of
// them are not over.
func (a *app) refresh(ctx context.Context, jobs []*job.Job, told []bool, over func(*job.Job) bool) (left int, err error) {
	for i, j := range jobs {
		if told[i] {
			continue
		}
		fresh, err := a.store.Get(ctx, j.ID, max(1, len(j.Runs)))
		if errors.Is(err, store.ErrNotFound) {
			gone := *j
			gone.Phase = job.Done
			jobs[i] = &gone
			continue
		}
		if err != nil {
			return 0, err
		}
		if !fresh.Completed() {
			seen, err := a.Look(ctx, []*job.Job{fresh})
			if err != nil {
				return 0, err
			}
			if fresh = seen[0]; over(fresh) {
				// Who was told so may rely on it: it is in the index.
				if err := a.Step(ctx, j.ID); err != nil {
					return 0, err
				}
			}
		}
		if jobs[i] = fresh; !over(fresh) {
			left++
		}
	}
	return left, nil
}

// stateChanges says when the state of one of the jobs was written. Where the
// system can't tell (inotify's instances are used up), nothing is said, and
// the checks must do.
func (a *app) stateChanges(ctx context.Context, jobs []*job.Job) <-chan struct{} {
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		a.debug(err)
		return nil
	}
	for _, j := range jobs {
		if err := watch.Add(a.tree.Job(j.ID)); err != nil {
			a.debug(err)
		}
	}
	return a.changes(ctx, watch, func(e fsnotify.Event) bool { return e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) })
}

// changes says when something happened that matters, and closes the watcher at the
// end.
func (a *app) changes(ctx context.Context, watch *fsnotify.Watcher, matters func(fsnotify.Event) bool) <-chan struct{} {
	changes := make(chan struct{}, 1)
	go func() {
		defer watch.Close()
		for {
			select {
			case e := <-watch.Events:
				if !matters(e) {
					continue
				}
				select {
				case changes <- struct{}{}:
				default: // one is waiting to be heard already
				}
			case err := <-watch.Errors:
				a.debug(err)
			case <-ctx.Done():
				return
			}
		}
	}()
	return changes
}
