package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"jobman/job"
	"jobman/journal"
	"jobman/store"
)

// follow prints the output of the jobs as it comes, until all of them complete:
// first that of the jobs that have, by time.
func (l *logsCmd) follow(a *app, shares []*share, opt journal.ReadOptions, p *printer) error {
	var done, active []*share
	for _, s := range shares {
		if s.job.Completed() {
			done = append(done, s)
		} else {
			active = append(active, s)
		}
	}
	if err := l.read(a, done, opt, p); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(a.ctx)
	defer cancel(nil)
	if p.fail = cancel; len(active) > 0 {
		p.flushSoon()
	}
	f := &follower{app: a, opt: opt, printer: p, fail: cancel, over: make(chan struct{}, 1)}
	if len(l.Group) > 0 {
		// Before the first look, so that no job is submitted between the two.
		changes := a.indexChanges(ctx)
		f.start(ctx, active)
		f.members(ctx, l.Group, shares, changes)
	} else {
		f.start(ctx, active)
	}
	f.running.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// follower follows jobs, each on its own.
type follower struct {
	app     *app
	opt     journal.ReadOptions
	printer *printer
	fail    context.CancelCauseFunc // ends all of them

	running sync.WaitGroup
	mu      sync.Mutex // guards left
	left    int        // jobs that are followed
	over    chan struct{}
}

func (f *follower) start(ctx context.Context, shares []*share) {
	f.mu.Lock()
	f.left += len(shares)
	f.mu.Unlock()
	for _, s := range shares {
		f.running.Go(func() {
			if err := f.job(ctx, s); err != nil {
				f.fail(err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.left--; f.left == 0 {
				select {
				case f.over <- struct{}{}:
				default:
				}
			}
		})
	}
}

func (f *follower) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left == 0
}

// job prints a job's runs, those that there are and those to come.
func (f *follower) job(ctx context.Context, s *share) error {
	from := s.job.RunCount + 1
	if len(s.runs) > 0 {
		from = s.runs[0]
	}
	_, err := f.app.followRuns(ctx, s.job, from, func(n int, ended <-chan struct{}) error {
		opt := f.opt
		opt.Tail = s.tail(n)
		opt.Deleted = f.app.tellDeleted(s.job, n, opt.Since)
		err := f.app.output(s.job, n).follow(ctx, opt, ended, func(line journal.Line) error {
			if err := f.printer.line(s, n, line); err != nil {
				return err
			}
			f.printer.flushSoon()
			return nil
		})
		if err != nil {
			return err
		}
		return f.app.tellLoss(s.job, n)
	})
	return err
}

const (
	// lookAgain is how long is waited for more submissions after one.
	lookAgain = 50 * time.Millisecond
	// lookAnyway is how often new jobs are looked for where nothing tells of them.
	lookAnyway = 2 * time.Second
	// newestDone bounds how many jobs that have completed since the last look are
	// taken up.
	newestDone = 100
)

// members follows the jobs that are added to groups, until none is left that has
// not completed.
func (f *follower) members(ctx context.Context, groups []string, known []*share, changes <-chan struct{}) {
	seen := map[job.ID]bool{}
	for _, s := range known {
		seen[s.job.ID] = true
	}
	for {
		idle := f.idle() // asked before looking: what is submitted later is too late
		added, err := f.newcomers(ctx, groups, seen)
		if err != nil {
			f.fail(err)
			return
		}
		if idle && len(added) == 0 {
			return
		}
		f.start(ctx, added)
		select {
		case <-changes:
			select { // a burst of them is one look
			case <-time.After(lookAgain):
			case <-ctx.Done():
			}
		case <-f.over:
		case <-time.After(lookAnyway):
		case <-ctx.Done():
			return
		}
	}
}

// newcomers returns the jobs of the groups that were not seen yet, oldest first.
func (f *follower) newcomers(ctx context.Context, groups []string, seen map[job.ID]bool) (added []*share, err error) {
	jobs, err := f.app.store.Query(ctx, store.Filter{Groups: groups, Limit: newestDone})
	if err != nil {
		return nil, err
	}
	slices.Reverse(jobs)
	for _, j := range jobs {
		if !seen[j.ID] {
			seen[j.ID] = true
			s := &share{job: j, member: true, first: journal.All}
			for n := range j.RunCount {
				s.runs = append(s.runs, n+1)
			}
			added = append(added, s)
		}
	}
	f.printer.name(added)
	return added, nil
}

// indexChanges says when something was committed. Where the system can't tell,
// nothing is said.
func (a *app) indexChanges(ctx context.Context) <-chan struct{} {
	watch, err := fsnotify.NewWatcher()
	if err == nil {
		err = watch.Add(a.tree.Index())
	}
	if err != nil {
		a.debug(err)
		return nil
	}
	return a.changes(ctx, watch, func(e fsnotify.Event) bool { return e.Has(fsnotify.Write) || e.Has(fsnotify.Create) })
}
