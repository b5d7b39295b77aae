package house

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"jobman/engine"
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
	err := internal[argv[0]](argv[1:])
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "jobman: %s: %v\n", argv[0], err)
	if argv[0] == "ended" {
		return units.EndedFailed
	}
	return 1
}

// execVerb: exec RUN [FIFOS|journal].
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
	err := engine.Exec(tree.Run(args[0]), out)
	if errors.Is(err, tree.ErrClaimed) {
		return fmt.Errorf("%w: it is not executed again", err)
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
	return supervisor.Shim(args[0], limit, sink, func(job.Ref) error {
		store, _, err := run.Locate()
		if err != nil {
			return err
		}
		return withEngine(store, func(ctx context.Context, h *House) error { return h.Drain(ctx) })
	})
}

// tickVerb: tick STORE.
func tickVerb(args []string) error {
	return withEngine(tree.Tree(args[0]), func(ctx context.Context, h *House) error {
		return supervisor.Tick(tree.Tree(args[0]), func() ([]*job.Job, error) { return h.Waiting(ctx, "fork") })
	})
}

// holdOff is how long a step that failed stays: the path unit starts the next at
// once, for as long as there is mail.
const holdOff = 5 * time.Second

// stepVerb: step STORE [due|JOB [rearm]].
func stepVerb(args []string) error {
	return withEngine(tree.Tree(args[0]), func(ctx context.Context, h *House) error {
		switch {
		case len(args) > 1 && args[1] == "due":
			return h.Due(ctx)
		case len(args) > 1:
			h.Patient = true
			return h.StepTriggered(ctx, job.ID(args[1]), len(args) > 2 && args[2] == "rearm")
		}
		err := h.Drain(ctx)
		left, lerr := h.Tree.Mail()
		if err != nil || len(left) > 0 { // which may be another machine's
			time.Sleep(holdOff)
		}
		return errors.Join(err, lerr)
	})
}

// reconcileVerb: reconcile STORE. Where systemd calls it, it is tidied up too.
func reconcileVerb(args []string) error {
	return withEngine(tree.Tree(args[0]), func(ctx context.Context, h *House) error {
		active, err := h.Reconcile(ctx)
		if err != nil {
			return err
		}
		scope := ownScope()
		if !FindSystemd(scope).Manager {
			return nil
		}
		b, err := h.Backend("systemd", scope)
		if err != nil {
			return err
		}
		if k, ok := b.(engine.Keeper); ok {
			return h.Tidy(ctx, k, active)
		}
		return nil
	})
}

// ownScope is the scope of the manager that started this process.
func ownScope() string {
	if os.Geteuid() == 0 && os.Getenv("MANAGERPID") == "" {
		return "system"
	}
	return "user"
}

func withEngine(store tree.Tree, do func(context.Context, *House) error) error {
	log := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "jobman:", err)
		}
	}
	s, err := bolt.Open(string(store), bolt.Options{Log: log})
	if err != nil {
		return err
	}
	h, err := New(store, s, Programs{}, log)
	if err != nil {
		return err
	}
	return do(context.Background(), h)
}

// pumpVerb: pump RUN [both], socket-activated with the two FIFOs.
func pumpVerb(args []string) error {
	args, sink := cutSink(args)
	err := pump(tree.Run(args[0]), sink)
	if err != nil {
		// What is in the FIFOs has systemd start the next at once.
		time.Sleep(holdOff)
	}
	return err
}

func pump(run tree.Run, sink job.Sink) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	opt, err := outputOptions(run, sink)
	if err != nil {
		return err
	}
	sources, err := activated()
	if err != nil {
		return err
	}
	opt.Idle = pumpIdle
	return journal.Pump(ctx, run.Logs(), sources, opt)
}

// pumpIdle is how long a pump stays when nothing comes. The next byte starts
// another, so a job that falls silent has none.
const pumpIdle = 10 * time.Second
