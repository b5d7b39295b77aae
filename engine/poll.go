package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"jobman/job"
	"jobman/store"
)

// occasion is why a job is stepped, and what its step keeps from one round to the
// next.
type occasion struct {
	unarmed   bool // the backend does not know what the job calls armed
	changed   bool // a path unit saw a change, and sees no other before it is armed anew
	unwatched int  // the revision whose paths no unit of the job's own can watch

	found    []job.Check // of the polled conditions
	polledAt time.Time   // when they had been checked before
	unlock   func()      // others may check them
}

func (o *occasion) end() {
	if o.unlock != nil {
		o.unlock()
	}
}

// errAborted is why a check ends early.
var errAborted = errors.New("wait.abort-datetime has come")

// poll adds what is found of the polled conditions that are due, which may take its time; all
// others are looked at again then. Only one process checks them at a time: another
// one that finds them due leaves them to that. What was found stays so for as long
// as the step lasts, also where somebody else has changed the job meanwhile.
func (e *Engine) poll(ctx context.Context, j *job.Job, o *job.Observation, due []bool, why *occasion) error {
	if why.found == nil || !why.polledAt.Equal(j.PolledAt()) || len(why.found) != len(j.Conditions) {
		if mine, err := e.mayPoll(ctx, j, why); !mine {
			return err
		}
		if abort := j.Spec.Wait.AbortDatetime; !abort.IsZero() {
			var cancel func()
			ctx, cancel = context.WithTimeoutCause(ctx, abort.Sub(o.Now), errAborted)
			defer cancel()
		}
		ctx, cancel := e.whileSensing(ctx, j.ID)
		defer cancel()
		why.found, why.polledAt = e.checkPolled(ctx, j, due), j.PolledAt()
	}
	o.Now = e.now() // the interval counts from here
	if err := e.look(ctx, j, o); err != nil {
		return err
	}
	for i, found := range why.found {
		if !found.At.IsZero() {
			o.Checks[i] = found
		}
	}
	return nil
}

// errOver is why a check ends early whose job waits for it no more.
var errOver = errors.New("the job waits for it no more")

// lookAtState is how often a check that takes its time is asked whether it is wanted.
const lookAtState = 250 * time.Millisecond

// whileSensing returns a context that ends when the job waits for its conditions no
// more: it was killed, or started without them.
func (e *Engine) whileSensing(ctx context.Context, id job.ID) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	file := filepath.Join(e.Tree.Job(id), "state")
	seen, _ := os.Stat(file) // it is there, or will be
	go func() {
		tick := time.NewTicker(lookAtState)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now, err := os.Stat(file)
			if err == nil && seen != nil && os.SameFile(now, seen) && now.ModTime().Equal(seen.ModTime()) {
				continue
			}
			seen = now
			j, err := e.Store.Get(ctx, id, 1)
			if errors.Is(err, store.ErrNotFound) || err == nil && !j.Sensing() {
				cancel(errOver)
				return
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// mayPoll makes sure that nobody else checks the job's conditions just now, nor has
// just done so.
func (e *Engine) mayPoll(ctx context.Context, j *job.Job, why *occasion) (bool, error) {
	if why.unlock == nil {
		unlock, held, err := lockDir(e.Tree.Job(j.ID))
		e.log(err) // then it may be done twice
		if held {
			return false, nil
		}
		why.unlock = unlock
	}
	now, err := e.Store.Get(ctx, j.ID, 1)
	return err == nil && now.PolledAt().Equal(j.PolledAt()), err
}

func (e *Engine) checkPolled(ctx context.Context, j *job.Job, due []bool) []job.Check {
	found := make([]job.Check, len(j.Conditions))
	var checking sync.WaitGroup
	for i, c := range j.Conditions {
		if due[i] {
			checking.Go(func() { found[i] = e.Sensors.Check(ctx, j, c) })
		}
	}
	checking.Wait()
	return found
}

// crowd finds out whether units of the job's own may watch what it waits for, if
// that is to be decided.
func (e *Engine) crowd(ctx context.Context, b Backend, j *job.Job, o *job.Observation) error {
	watches := j.WatchesFor(*o)
	if len(watches) == 0 || j.Armed.Watcher && j.Armed.Manager == o.Manager {
		return nil
	}
	if slices.Equal(watches, j.Armed.Watches) && j.Armed.Manager == o.Manager && !o.Unarmed {
		return nil
	}
	w, ok := b.(Watching)
	if !ok {
		return nil
	}
	room, err := w.Room(ctx, j.ID, len(watches))
	if err != nil {
		return &BackendError{err}
	}
	o.Crowded = !room
	return nil
}
