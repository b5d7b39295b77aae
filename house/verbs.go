package house

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"jobman/engine"
	"jobman/events"
	"jobman/failpoint"
	"jobman/job"
	"jobman/journal"
	"jobman/store/bolt"
	"jobman/store/tree"
	"jobman/supervisor"
	"jobman/units"
)

// The internal verbs are what units and shims execute. They read no
// configuration, and take the absolute paths of all they need as arguments.
var internal = map[string]func(args []string) error{
	"exec":      execVerb,
	"ended":     endedVerb,
	"step":      stepVerb,
	"reconcile": reconcileVerb,
	"pump":      pumpVerb,
	"shim":      shimVerb,
	"tick":      tickVerb,
	"watch":     watchVerb,
	"deliver":   deliverVerb,
}

// IsInternal tells an internal verb from a command of the same name: its first
// argument is a path within a store.
func IsInternal(argv []string) bool {
	return len(argv) >= 2 && internal[argv[0]] != nil && tree.IsWithin(argv[1])
}

// RunInternal executes an internal verb, and returns the exit code. The caller
// has set the umask.
func RunInternal(argv []string) int {
	dir := argv[1]
	if store, _, err := tree.Run(dir).Locate(); err == nil {
		dir = string(store)
	}
	failpoint.Use(dir, argv[0])
	events.Use(argv[0])
	err := internal[argv[0]](argv[1:])
	if err == nil {
		return 0
	}
	logOf(argv).Add(events.Failure(err))
	// Where stderr is a file it is a jobman.log.
	if info, serr := os.Stderr.Stat(); !errors.As(err, new(told)) && (serr != nil || !info.Mode().IsRegular()) {
		fmt.Fprintf(os.Stderr, "jobman: %s: %v\n", argv[0], err)
	}
	if argv[0] == "ended" {
		return units.EndedFailed
	}
	return 1
}

// logOf is where an internal verb notes what went wrong: with its run, its job, or
// else with the store.
func logOf(argv []string) events.Log {
	run := tree.Run(argv[1])
	if _, _, err := run.Locate(); err == nil {
		return run.Log()
	}
	if store := tree.Tree(argv[1]); argv[0] == "step" && len(argv) > 2 && job.IsID(argv[2]) {
		return store.JobLog(job.ID(argv[2]))
	}
	return tree.Tree(argv[1]).Log()
}

// told is an error that is told elsewhere.
type told struct{ error }

// execVerb: exec RUN [FIFOS|journal]. By then stderr is the command's, in which
// nothing of jobman's belongs: why it was not executed is in the run's record.
func execVerb(args []string) error {
	var out engine.Outputs
	if args, sink := cutSink(args); sink == job.SinkJournal {
		var err error
		if out, err = streams(tree.Run(args[0])); err != nil {
			return err
		}
	} else if len(args) > 1 {
		out = outputs(args[1])
	}
	run := tree.Run(args[0])
	err := engine.Exec(run, out)
	if errors.Is(err, tree.ErrClaimed) {
		return told{fmt.Errorf("%w: it is not executed again", err)}
	}
	if word, werr := run.StartError(); err != nil && werr == nil && word != "" {
		return told{err}
	}
	return err
}

// shimVerb: shim RUN [LIMIT] [both|journal].
func shimVerb(args []string) error {
	args, sink := cutSink(args)
	run := tree.Run(args[0])
	var limit time.Duration
	if len(args) > 1 {
		var err error
		if limit, err = time.ParseDuration(args[1]); err != nil {
			return err
		}
	}
	return supervisor.Shim(args[0], limit, sink, func(ref job.Ref) error {
		store, _, err := run.Locate()
		if err != nil {
			return err
		}
		return withEngine(store, run.Log(), func(ctx context.Context, h *House) error { return h.Post(ctx, ref) })
	})
}

// tickVerb: tick STORE.
func tickVerb(args []string) error {
	return withEngine(tree.Tree(args[0]), tree.Tree(args[0]).Log(), func(ctx context.Context, h *House) error {
		return supervisor.Tick(tree.Tree(args[0]), func() ([]*job.Job, error) { return h.Waiting(ctx, "fork") })
	})
}

// watchVerb: watch STORE.
func watchVerb(args []string) error {
	return withEngine(tree.Tree(args[0]), tree.Tree(args[0]).Log(), func(ctx context.Context, h *House) error {
		return supervisor.Watch(tree.Tree(args[0]), func() ([]*job.Job, error) {
			jobs, err := h.Waiting(ctx, "systemd")
			return slices.DeleteFunc(jobs, func(j *job.Job) bool { return !j.Armed.Watcher }), err
		})
	})
}

// holdOff is how long a step that failed stays: the path unit starts the next at
// once, for as long as there is mail.
const holdOff = 5 * time.Second

// triggerPause is how long a step stays that a path unit started for nothing: it would
// start the next at once, for as long as there is something that systemd takes for what
// the job waits for.
const triggerPause = time.Second

// stepVerb: step STORE [due|JOB [files|rearm]|quick JOB...]. Only what is called for
// one job, and nothing else, waits for polled conditions to be checked.
func stepVerb(args []string) error {
	return withEngine(tree.Tree(args[0]), tree.Tree(args[0]).Log(), func(ctx context.Context, h *House) error {
		switch {
		case len(args) > 1 && args[1] == "due":
			return h.Due(ctx)
		case len(args) > 1 && args[1] == "quick":
			h.StepAll(ctx, args[2:])
			return nil
		case len(args) > 1:
			h.Patient = len(args) == 2
			idle, err := h.StepTriggered(ctx, job.ID(args[1]), !h.Patient && args[2] == "rearm")
			if idle && !h.Patient && args[2] == "files" {
				time.Sleep(triggerPause)
			}
			return err
		}
		mail, merr := h.Tree.Mail()
		err := errors.Join(merr, h.Drain(ctx))
		if len(mail) == 0 || os.Getenv("MONITOR_UNIT") != "" { // see systemd.exec(5)
			// It was not mail that started this: a run failed whose stop-post left none.
			err = errors.Join(err, h.tidy(func(k engine.Keeper) error { return h.StepFailed(ctx, k) }))
		}
		left, lerr := h.Tree.Mail()
		if err != nil || len(left) > 0 { // which may be another machine's
			time.Sleep(holdOff)
		}
		return errors.Join(err, lerr)
	})
}

// reconcileVerb: reconcile STORE. Where systemd calls it, it is tidied up too.
func reconcileVerb(args []string) error {
	return withEngine(tree.Tree(args[0]), tree.Tree(args[0]).Log(), func(ctx context.Context, h *House) error {
		active, err := h.Reconcile(ctx)
		if err != nil {
			return err
		}
		return h.tidy(func(k engine.Keeper) error { return h.Tidy(ctx, k, active) })
	})
}

// tidy does something with the backend of the manager that started this process, if
// it was one.
func (h *House) tidy(do func(engine.Keeper) error) error {
	scope := ownScope()
	if !FindSystemd(scope).Manager {
		return nil
	}
	b, err := h.Backend("systemd", scope)
	if err != nil {
		return err
	}
	if k, ok := b.(engine.Keeper); ok {
		return do(k)
	}
	return nil
}

// ownScope is the scope of the manager that started this process.
func ownScope() string {
	if os.Geteuid() == 0 && os.Getenv("MANAGERPID") == "" {
		return "system"
	}
	return "user"
}

// withEngine opens the store's house for an internal verb. What is not worth failing
// for is noted in a jobman.log.
func withEngine(store tree.Tree, notes events.Log, do func(context.Context, *House) error) error {
	log := func(err error) {
		if err != nil {
			notes.Add(events.Failure(err))
		}
	}
	s, err := bolt.Open(string(store), bolt.Options{Log: log})
	if err != nil {
		return err
	}
	h, err := New(store, s, nil, log)
	if err != nil {
		return err
	}
	return do(context.Background(), h)
}

// pumpVerb: pump RUN [FIFOS] [both], socket-activated with the two FIFOs.
func pumpVerb(args []string) error {
	args, sink := cutSink(args)
	fifos := ""
	if len(args) > 1 {
		fifos = args[1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	began := time.Now()
	err := pump(ctx, tree.Run(args[0]), fifos, sink)
	if err != nil && time.Since(began) < holdOff {
		// What is in the FIFOs has systemd start the next at once. One that has done its
		// work, and tells what was lost, holds up neither the job nor the unit's end.
		select {
		case <-time.After(holdOff):
		case <-ctx.Done():
		}
	}
	return err
}

func pump(ctx context.Context, run tree.Run, fifos string, sink job.Sink) error {
	opt, err := outputOptions(run, fifos, sink)
	if err != nil {
		return err
	}
	sources, err := activated()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(run.Logs()); errors.Is(err, fs.ErrNotExist) {
		// Not each time that a job has been silent for a while.
		run.Log().Add(events.New(events.Debug, "pump"))
	}
	opt.Idle = pumpIdle
	return journal.Pump(ctx, run.Logs(), sources, opt)
}

// pumpIdle is how long a pump stays when nothing comes. The next byte starts
// another, so a job that falls silent has none.
const pumpIdle = 10 * time.Second
