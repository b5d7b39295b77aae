// Package engine carries jobs through their lives. Everything that ever happens
// to a job is one operation,
//
//	step(job):  load -> observe -> decide -> commit -> act
//
// and whatever triggers it (a command, an ended run, a timer) may do so any
// number of times, concurrently, and be killed anywhere: the next step finishes
// what was intended. The policy is job.Decide; the engine holds none.
//
// Here too is `exec`, which becomes a run's command (exec_unix.go), and what
// `ended` reads of its end (ended.go).
package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"

	"jobman/events"
	"jobman/failpoint"
	"jobman/job"
	"jobman/store"
	"jobman/store/tree"
)

// Engine steps the jobs of one store.
type Engine struct {
	Store store.Store
	Tree  tree.Tree
	// Backend returns the backend of a job, by its name and scope.
	Backend func(name, scope string) (Backend, error)
	// HostID is this machine's; jobs of another are left alone.
	HostID string
	// Journald looks for what takes output; default: nobody does, and all of it is
	// kept in files.
	Journald func() job.Journald
	// Rest brings in what is left of the output of a job's current run, which is over;
	// default: nothing is.
	Rest func(*job.Job) error
	// Sensors look at what jobs wait for.
	Sensors Sensors
	// Callbacks tell of events; only who delivers needs them.
	Callbacks Callbacks
	// Patient: this process may wait for polled conditions to be checked. Others
	// leave them to a process that does nothing else.
	Patient bool
	// Log takes what is not worth failing for; default: nowhere.
	Log func(error)
	// Now is the clock; default time.Now.
	Now func() time.Time
}

func (e *Engine) now() time.Time {
	if e.Now != nil {
		return e.Now().UTC()
	}
	return time.Now().UTC()
}

// observation begins an observation of anything.
func (e *Engine) observation() job.Observation {
	return job.Observation{Now: e.now(), Random: rand.Float64()}
}

func (e *Engine) log(err error) {
	if err != nil && e.Log != nil {
		e.Log(err)
	}
}

func (e *Engine) journald() job.Journald {
	if e.Journald == nil {
		return job.Journald{Why: "nobody looked for journald"}
	}
	return e.Journald()
}

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

// arm has the backend step the job when its time has come.
func (e *Engine) arm(ctx context.Context, b Backend, j *job.Job) error {
	failpoint.Hit("arm")
	if err := b.Arm(ctx, j); err != nil {
		return &BackendError{err}
	}
	failpoint.Hit("armed")
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

// maxRounds bounds a step; more means that deciding and acting contradict each
// other.
const maxRounds = 20

// Step does what is due of a job. A job that is not there, or is another
// machine's, is nobody's business.
func (e *Engine) Step(ctx context.Context, id job.ID) error { return e.step(ctx, id, &occasion{}) }

func (e *Engine) step(ctx context.Context, id job.ID, why *occasion) error {
	defer why.end()
	ask := false
	for range maxRounds {
		j, err := e.Store.Get(ctx, id, 1)
		if errors.Is(err, store.ErrNotFound) || err == nil && j.HostID != e.HostID {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := e.observe(ctx, j, ask || waits(j), why)
		if err != nil {
			return err
		}
		decided, actions := job.Decide(*j, o)
		failpoint.Hit("decided")
		if ends := j.Last() != nil && j.Last().Active() && !decided.Run(j.Last().N).Active(); ends {
			return e.settle(ctx, map[job.Ref]job.Observation{j.Ref(): o})
		}
		if !reflect.DeepEqual(decided, *j) {
			again := false
			err := e.Store.Update(ctx, []job.ID{id}, func(now *job.Job) error {
				// Somebody else may have stepped it meanwhile.
				if again = !reflect.DeepEqual(now, j); again {
					return store.ErrUnchanged
				}
				*now = decided
				return nil
			})
			if err != nil {
				return err
			}
			if again {
				continue
			}
			e.note(id, happened(j, &decided)...)
			if len(job.Told(j, &decided)) > 0 {
				defer func() { e.complain(id, e.tell(ctx, &decided)) }()
			}
		}
		failpoint.Hit("intended")
		ask, err = e.act(ctx, &decided, actions)
		if errors.Is(err, job.ErrUnwatched) {
			why.unwatched = decided.Armed.Rev
			continue
		}
		if err != nil {
			return err
		}
		failpoint.Hit("acted")
		// What is armed may have come meanwhile, and a trigger that came while
		// this is running was lost.
		if !ask && !slices.Contains(actions, job.Void) && !slices.Contains(actions, job.Arm) {
			return nil
		}
		why.unarmed, why.changed = false, false
	}
	return fmt.Errorf("job %s does not settle", id)
}

// waits tells whether a job waits for something else than its current run.
func waits(j *job.Job) bool { return j.Phase == job.Waiting || j.Phase == job.Delayed }

// observe looks at the job's current run. The records are read after the unit
// was asked for: a run that ended between the two has left them by then.
func (e *Engine) observe(ctx context.Context, j *job.Job, ask bool, why *occasion) (job.Observation, error) {
	o := e.observation()
	r := j.Last()
	active := r != nil && r.Active()
	if ask {
		b, err := e.Backend(j.Backend, j.Scope)
		if err != nil {
			return o, err
		}
		if o.Manager, err = b.Manager(ctx); err != nil {
			return o, &BackendError{err}
		}
		o.Journald = e.journald()
		if active {
			seen, err := b.Observe(ctx, []job.Ref{j.Ref()})
			if err != nil {
				return o, &BackendError{err}
			}
			o.Unit = seen[j.Ref()]
		}
	}
	if active {
		if err := e.complete(ctx, j, &o); err != nil {
			return o, err
		}
	}
	if err := e.sense(ctx, j, &o, why); err != nil || !waits(j) {
		return o, err
	}
	o.Changed = why.changed && !j.Armed.Watcher
	unwatched := why.unwatched > 0 && why.unwatched == j.Armed.Rev && !j.Armed.Watcher
	if o.Unarmed = why.unarmed || o.Changed || unwatched; unwatched {
		o.Crowded = true
		return o, nil
	}
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return o, err
	}
	return o, e.crowd(ctx, b, j, &o)
}

// complete adds the run's records to an observation of its unit. Where they say
// that it was executed and not how it ended, and there was no live unit, it may
// have been about to start when the unit was asked for: then that is done again.
// Whoever was executed before that and has neither unit nor record is lost.
func (e *Engine) complete(ctx context.Context, j *job.Job, o *job.Observation) error {
	if err := e.records(j.Ref(), o); err != nil {
		return err
	}
	if o.Unit.State != job.UnitAbsent && o.Unit.State != job.UnitDead || !o.Claim.Executed() || o.Exit != nil {
		return nil
	}
	b, err := e.Backend(j.Backend, j.Scope)
	if err != nil {
		return err
	}
	seen, err := b.Observe(ctx, []job.Ref{j.Ref()})
	if err != nil {
		return &BackendError{err}
	}
	o.Unit = seen[j.Ref()]
	return e.records(j.Ref(), o)
}

// records reads what the run left in its directory.
func (e *Engine) records(ref job.Ref, o *job.Observation) (err error) {
	run := e.Tree.Run(ref)
	// The exit record first: who leaves it has made sure of the claim before.
	if o.Exit, err = run.ReadExit(); err != nil {
		return fmt.Errorf("read the exit record of %s: %w", ref.ID, err)
	}
	if o.Claim, err = run.ReadClaim(); err != nil {
		return fmt.Errorf("read the claim of %s: %w", ref.ID, err)
	}
	if o.Unit.Main != nil && o.Unit.Main.StartError == "" {
		// stop-post could not tell, so exec's own word is looked for.
		o.Unit.Main.StartError, err = run.StartError()
	}
	return err
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
