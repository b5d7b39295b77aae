package engine

import (
	"context"
	"errors"
	"time"

	"github.com/fsnotify/fsnotify"

	"jobman/failpoint"
	"jobman/job"
	"jobman/turn"
)

// linger is how long a drain waits for more mail, so that a burst of ends is
// one process and few commits.
const linger = 100 * time.Millisecond

// turnWait is how long whoever has left mail waits for those who came before.
const turnWait = 30 * time.Second

// Post takes in a run that has just ended, with all other mail that there is, and steps
// the jobs whose time has come. Many that end at once come one after another, and most
// find that it was done: else each of them would take in the mail of all.
func (e *Engine) Post(ctx context.Context, ref job.Ref) error {
	end := turn.Wait(ctx, e.Tree.InboxTurn(), turnWait)
	defer end()
	if _, there := e.Tree.MailAge(ref, e.now()); !there {
		return nil
	}
	_, err := e.due(ctx)
	_, terr := e.takeIn(ctx)
	return errors.Join(err, terr)
}

// Drain takes in ended runs from the inbox until none has come for a while, and
// steps the jobs whose time has come.
func (e *Engine) Drain(ctx context.Context) error {
	if _, err := e.due(ctx); err != nil {
		return err
	}
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		// The user's instances of inotify are used up, as the doctor tells. That is
		// no failure of a job: there is no lingering, and whoever triggers us looks
		// at the inbox again when we are gone.
		_, err := e.takeIn(ctx)
		return err
	}
	defer watch.Close()
	if err := watch.Add(e.Tree.Inbox()); err != nil {
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
// returns how many there were. Mail that can't be made sense of, or that another
// machine has left lying, is dropped: its job is still active, and so the safety
// net looks at it.
func (e *Engine) takeIn(ctx context.Context) (int, error) {
	mail, err := e.Tree.Mail()
	if err != nil || len(mail) == 0 {
		return 0, err
	}
	seen := make(map[job.Ref]job.Observation, len(mail))
	for _, ref := range mail {
		o := e.observation()
		if err := e.records(ref, &o); err != nil {
			e.complain(ref.ID, err)
			continue
		}
		seen[ref] = o
	}
	foreign, err := e.record(ctx, seen)
	if err != nil {
		return 0, err
	}
	taken := 0
	for _, ref := range mail {
		if age, _ := e.Tree.MailAge(ref, e.now()); foreign[ref] && age.Abs() < netInterval {
			continue // on a shared home: that machine's own step is about to
		}
		if err := e.Tree.Take(ref); err != nil {
			return 0, err
		}
		failpoint.Hit("taken")
		taken++
	}
	return taken, nil
}
