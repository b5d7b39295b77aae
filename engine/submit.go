package engine

import (
	"context"
	"errors"
	"sync"

	"jobman/events"
	"jobman/failpoint"
	"jobman/job"
	"jobman/store/tree"
)

// Submit adds a job and arranges its first step: when it returns nil the job is
// durable and runs, or will, without this process; also when it returns a
// *FilesError. A job that the backend won't take is withdrawn.
func (e *Engine) Submit(ctx context.Context, j *job.Job, env []byte, unique bool) error {
	actions, err := e.intend(ctx, j)
	if err != nil {
		return err
	}
	if err := e.Store.Submit(ctx, j, env, unique); err != nil {
		return err
	}
	failpoint.Hit("submitted")
	return e.launch(ctx, j, actions)
}

// Submission is a job to be submitted, with its environment.
type Submission struct {
	Job *job.Job
	Env []byte
}

// launchAtOnce is how many calls of a backend are under way at a time.
const launchAtOnce = 32

// SubmitAll is Submit for many: they are added in one transaction. It returns for
// each what Submit would, or one error if none was added.
func (e *Engine) SubmitAll(ctx context.Context, all []Submission) ([]error, error) {
	jobs, envs := make([]*job.Job, len(all)), make([][]byte, len(all))
	actions := make([][]job.Action, len(all))
	for i, s := range all {
		var err error
		if actions[i], err = e.intend(ctx, s.Job); err != nil {
			return nil, err
		}
		jobs[i], envs[i] = s.Job, s.Env
	}
	if err := e.Store.SubmitAll(ctx, jobs, envs); err != nil {
		return nil, err
	}
	failpoint.Hit("submitted")
	errs := make([]error, len(all))
	each(len(all), launchAtOnce, func(i int) { errs[i] = e.launch(ctx, jobs[i], actions[i]) })
	return errs, nil
}

// each calls do for the numbers below n, so many at a time.
func each(n, atOnce int, do func(int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(atOnce, n) {
		workers.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}

// intend decides about a job that is about to be added.
func (e *Engine) intend(ctx context.Context, j *job.Job) ([]job.Action, error) {
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return nil, err
	}
	j.Phase, j.HostID, j.Conditions = job.Waiting, e.HostID, j.Spec.Wait.Conditions()
	o := e.observation()
	if o.Manager, err = b.Manager(ctx); err != nil {
		return nil, &BackendError{err}
	}
	o.Journald = e.journald()
	for _, c := range j.Conditions {
		if c.Kind == job.KindJob {
			id, _ := job.Awaited(c.Target)
			e.log(e.Tree.AddDependent(id, j.ID)) // else a path unit tells
		}
	}
	if err := e.sense(ctx, j, &o, &occasion{}); err != nil {
		return nil, err
	}
	if err := e.crowd(ctx, b, j, &o); err != nil {
		return nil, err
	}
	decided, actions := job.Decide(*j, o)
	*j = decided
	return actions, nil
}

// launch does what was decided about a job that was just added.
func (e *Engine) launch(ctx context.Context, j *job.Job, actions []job.Action) error {
	// Beside the calls of the backend, which are waited for anyway.
	told := append([]events.Event{submitted(j)}, happened(new(job.Job), j)...)
	var noting sync.WaitGroup
	noting.Go(func() { e.note(j.ID, told...) })
	defer noting.Wait()
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return err
	}
	for _, a := range actions {
		switch a {
		case job.Start:
			err = e.start(ctx, b, j, true)
		case job.Arm:
			err = e.arm(ctx, b, j)
		}
		var files *FilesError
		switch {
		case errors.Is(err, job.ErrUnwatched):
			err = e.step(ctx, j.ID, &occasion{unwatched: j.Armed.Rev})
			if err != nil {
				return e.withdraw(ctx, j, err)
			}
			return nil
		case errors.As(err, &files):
			return e.postpone(ctx, b, j.ID, files)
		case err != nil:
			noting.Wait() // its files may be removed
			return e.withdraw(ctx, j, err)
		}
	}
	if len(job.Told(&job.Job{ID: j.ID}, j)) > 0 { // it is over already
		e.complain(j.ID, e.tell(ctx, j))
	}
	due := !j.NextAt.IsZero() && !e.now().Before(j.NextAt)
	if edges := j.Armed.Edges() && !j.Armed.Watcher; j.Phase == job.Waiting && (due || edges) {
		// What it waits for may have come while it was being armed.
		e.complain(j.ID, e.Step(ctx, j.ID))
	}
	return nil
}

// BackendError means that no backend could take a run.
type BackendError struct{ Err error }

func (e *BackendError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *BackendError) Unwrap() error { return e.Err }

// FilesError means that the job was taken, but that the files which its command
// is executed from could not be written yet: mostly the disk is full. The job
// starts when they can be.
type FilesError struct{ Err error }

func (e *FilesError) Error() string { return "write the job's files: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *FilesError) Unwrap() error { return e.Err }

// postpone leaves the start of a job that is in the index to the safety net.
func (e *Engine) postpone(ctx context.Context, b Backend, id job.ID, why *FilesError) error {
	e.note(id, events.New(events.Warn, "postponed", "error", why))
	if k, ok := b.(Keeper); ok {
		e.complain(id, k.Keep(ctx, true))
	}
	return why
}

// withdraw takes back a submission whose run was not started, so that a refused
// `run` leaves no job. Where the run turns out to be executed after all, or
// will be when the system takes runs again, the submission stands.
func (e *Engine) withdraw(ctx context.Context, j *job.Job, why error) error {
	if errors.Is(why, job.ErrRefused) {
		e.refused(j.ID, why)
		return nil
	}
	if j.RunCount > 0 {
		run := e.Tree.Run(j.Ref())
		err := run.Claim(job.Claim{At: e.now(), Void: "the submission was refused: " + why.Error()})
		if errors.Is(err, tree.ErrClaimed) {
			return nil
		}
		if err != nil {
			return errors.Join(why, err)
		}
	}
	err := e.Store.Update(ctx, []job.ID{j.ID}, func(j *job.Job) error {
		j.Callbacks = nil // nobody is told of a job that never was
		if j.RunCount > 0 {
			return nil
		}
		return j.RequestKill(0, &job.Kill{At: e.now(), Signal: "KILL"})
	})
	if err == nil {
		err = e.Step(ctx, j.ID)
	}
	if err == nil {
		_, err = e.Store.Delete(ctx, []job.ID{j.ID})
	}
	return errors.Join(why, err)
}
