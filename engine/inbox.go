package engine

import (
	"context"
	"errors"
	"time"

	"github.com/fsnotify/fsnotify"

	"jobman/job"
	"jobman/store"
)

// linger is how long a drain waits for more mail, so that a burst of ends is
// one process and few commits.
const linger = 100 * time.Millisecond

// Drain takes in ended runs from the inbox until none has come for a while.
func (e *Engine) Drain(ctx context.Context) error {
	watch, err := fsnotify.NewWatcher()
	if err == nil {
		defer watch.Close()
		err = watch.Add(e.Tree.Inbox())
	}
	if err != nil {
		// Without inotify there is no lingering; whoever triggers us looks at
		// the inbox again when we are gone.
		e.log(err)
		_, err := e.takeIn(ctx)
		return err
	}
	for {
		n, err := e.takeIn(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		select {
		case <-watch.Events:
		case err := <-watch.Errors:
			e.log(err)
		case <-time.After(linger):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// takeIn records the ends that lie in the inbox, all in one transaction, and
// returns how many there were.
func (e *Engine) takeIn(ctx context.Context) (int, error) {
	mail, err := e.Tree.Mail()
	if err != nil || len(mail) == 0 {
		return 0, err
	}
	ids := make([]job.ID, len(mail))
	seen := make(map[job.Ref]job.Observation, len(mail))
	for i, ref := range mail {
		ids[i] = ref.ID
		o := job.Observation{Now: e.now()}
		if err := e.records(ref, &o); err != nil {
			return 0, err
		}
		seen[ref] = o
	}
	// What the records alone don't settle gets a step of its own.
	further, foreign := map[job.ID]bool{}, map[job.ID]bool{}
	err = e.Store.Update(ctx, ids, func(j *job.Job) error {
		r := j.Last()
		o, ours := seen[job.Ref{ID: j.ID, Run: runNumber(r)}]
		foreign[j.ID] = j.HostID != e.HostID
		if !ours || !r.Active() || foreign[j.ID] {
			return store.ErrUnchanged
		}
		decided, actions := job.Decide(*j, o)
		further[j.ID] = len(actions) > 0
		if !decided.Completed() {
			return store.ErrUnchanged
		}
		*j = decided
		return nil
	})
	if err != nil {
		return 0, err
	}
	taken := 0
	for _, ref := range mail {
		if foreign[ref.ID] {
			continue // on a shared home: that machine's own
		}
		if further[ref.ID] {
			if err := e.settle(ctx, ref, seen[ref]); err != nil {
				return 0, err
			}
		}
		if err := e.Tree.Take(ref); err != nil {
			return 0, err
		}
		taken++
	}
	return taken, nil
}

// settle does what the end of a run asks for beside its record.
func (e *Engine) settle(ctx context.Context, ref job.Ref, o job.Observation) error {
	j, err := e.Store.Get(ctx, ref.ID, 1)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	if !j.Completed() {
		return e.Step(ctx, ref.ID)
	}
	_, actions := job.Decide(*j, o)
	_, err = e.act(ctx, j, actions)
	return err
}

func runNumber(r *job.Run) int {
	if r == nil {
		return 0
	}
	return r.N
}
