package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"jobman/events"
	"jobman/failpoint"
	"jobman/job"
	"jobman/store/tree"
)

// arm has the backend step the job when its time has come.
func (e *Engine) arm(ctx context.Context, b Backend, j *job.Job) error {
	failpoint.Hit("arm")
	if err := b.Arm(ctx, j); err != nil {
		return &BackendError{err}
	}
	failpoint.Hit("armed")
	return nil
}

// start has the backend start the current run. The files that exec reads are
// written anew unless they are fresh: a power cut may have torn them.
func (e *Engine) start(ctx context.Context, b Backend, j *job.Job, fresh bool) error {
	if !fresh || !e.Tree.HasRun(j.Ref()) {
		env, err := e.Store.Env(ctx, j.ID)
		if err != nil {
			return fmt.Errorf("read the environment: %w", err)
		}
		err = e.Tree.WriteJob(j.ID, &j.Spec, env)
		if err == nil && !e.Tree.HasState(j.Ref()) {
			// Only then: another step may have started it by now, and what it
			// wrote since is newer.
			err = e.Tree.WriteState(j)
		}
		if err != nil {
			return &FilesError{err}
		}
	}
	if err := b.Start(ctx, j); err != nil {
		return &BackendError{err}
	}
	return nil
}

// act carries out what was decided. It returns whether the next round must ask
// the backend.
func (e *Engine) act(ctx context.Context, j *job.Job, actions []job.Action) (ask bool, err error) {
	for _, a := range actions {
		if a == job.Ask {
			ask = true
			continue
		}
		if a == job.Void {
			if err := e.void(j, "the unit ended before the command was executed"); err != nil {
				return false, err
			}
			ask = true
			continue
		}
		b, err := e.Backend(j.Backend, j.Scope)
		if err != nil {
			return false, err
		}
		switch a {
		case job.Start:
			err = e.start(ctx, b, j, false)
		case job.Arm:
			err = e.arm(ctx, b, j)
		case job.Disarm:
			err = b.Disarm(ctx, j.ID)
		case job.Finish:
			err = e.stop(ctx, b, j.Ref(), job.StopRequest{Signal: "KILL"})
		case job.Stop:
			err = e.stop(ctx, b, j.Ref(), stopRequest(j.Killing(), e.now(), time.Duration(j.Spec.StopGrace)))
		case job.Forget:
			err = b.Forget(ctx, []job.Ref{j.Ref()})
		}
		if errors.Is(err, job.ErrRefused) {
			e.refused(j.ID, err) // the intent stays; a later step carries it out
			continue
		}
		if err != nil {
			return false, err
		}
	}
	return ask, nil
}

// stop has the backend end a run.
func (e *Engine) stop(ctx context.Context, b Backend, ref job.Ref, how job.StopRequest) error {
	e.Tree.Run(ref).Log().Add(events.New(events.Info, "stop", "signal", how.Signal, "grace", job.Duration(how.Grace)))
	return b.Stop(ctx, ref, how)
}

// refused notes that the system would not do something now.
func (e *Engine) refused(id job.ID, err error) {
	e.note(id, events.New(events.Warn, "refused", "error", err))
	e.log(err)
}

// void makes sure that nothing executes the current run, unless it was executed
// already.
func (e *Engine) void(j *job.Job, why string) error {
	claim := job.Claim{At: e.now(), Void: why}
	err := e.Tree.Run(j.Ref()).Claim(claim)
	if errors.Is(err, fs.ErrNotExist) {
		// Its files could not be written when it was submitted.
		if err = e.Tree.WriteState(j); err == nil {
			err = e.Tree.Run(j.Ref()).Claim(claim)
		}
	}
	if err != nil && !errors.Is(err, tree.ErrClaimed) {
		return fmt.Errorf("void run %d of %s: %w", j.Last().N, j.ID, err)
	}
	if err == nil {
		e.Tree.Run(j.Ref()).Log().Add(events.New(events.Warn, "void", "why", why))
	}
	return nil
}

func stopRequest(k *job.Kill, now time.Time, limit time.Duration) job.StopRequest {
	grace := min(max(0, k.Until.Sub(now)), limit) // the clock may have been set back
	return job.StopRequest{Signal: k.Signal, Grace: grace, Custom: k.Custom}
}
