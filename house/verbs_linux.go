package house

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"jobman/dbusctl"
	"jobman/engine"
	"jobman/job"
	"jobman/journal"
	"jobman/store/tree"
	"jobman/units"
)

// drainFor bounds how long stop-post waits for the pump to give way.
const drainFor = 3 * time.Second

func outputs(fifos string) engine.Outputs {
	f := units.FIFOs(fifos)
	return engine.Outputs{Stdout: f.Stdout(), Stderr: f.Stderr()}
}

// activated returns the FIFOs that systemd passes to a pump, in the order of
// ListenFIFO=, see sd_listen_fds(3).
func activated() ([]journal.Source, error) {
	const first = 3
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) || os.Getenv("LISTEN_FDS") != "2" {
		return nil, fmt.Errorf("started with %q FIFOs instead of 2", os.Getenv("LISTEN_FDS"))
	}
	sources := []journal.Source{{Stream: journal.Stdout}, {Stream: journal.Stderr}}
	for i := range sources {
		unix.CloseOnExec(first + i)
		sources[i].File = os.NewFile(uintptr(first+i), sources[i].Stream.String())
	}
	return sources, nil
}

// endedVerb: ended RUN [FIFOS] [both|journal], stop-post of a run. First it waits for
// what is left of the tree, and brings in what is left of the output, so that a run
// that is recorded as over has all of it. What can't be found out is left out: the
// record of the end must be written.
func endedVerb(args []string) error {
	began := time.Now()
	args, sink := cutSink(args)
	run := tree.Run(args[0])
	exit := engine.ServiceExit(os.Getenv)
	claim, err := run.ReadClaim()
	if err == nil && claim == nil && exit.Unsettled() {
		// The unit fails and stays: whoever steps the job starts the run again.
		return errors.Join(errors.New("systemd could not put the command into its control group"), mail(run))
	}
	exit.At = time.Now().UTC()
	errs := []error{err, ending(run, &exit), awaitRest(run, began)}
	switch {
	case sink == job.SinkJournal:
		errs = append(errs, endStreams(run))
	case len(args) > 1:
		errs = append(errs, drain(run, args[1], sink))
	}
	exit.CPUSeconds, exit.MemoryPeak = engine.CgroupUsage()
	errs = append(errs, run.Conclude(exit))
	return errors.Join(errs...)
}

// mail has the run's job stepped.
func mail(run tree.Run) error {
	store, ref, err := run.Locate()
	if err != nil {
		return err
	}
	return store.Drop(ref)
}

// rest brings in what is left of the output of a run whose stop-post was killed. Of
// what goes to journald alone nothing is with us, and a shim's pipes die with it.
func (h *House) rest(j *job.Job) error {
	sink := j.Last().Sink
	if j.Backend != "systemd" || sink == job.SinkJournal || !j.Spec.Log.Stdout && !j.Spec.Log.Stderr {
		return nil
	}
	return drain(h.Tree.Run(j.Ref()), string(units.FIFOsIn(dbusctl.RuntimeDir(j.Scope), j.Ref())), sink)
}

// drain brings in what is left in the FIFOs, and of what a killed pump had taken, which
// may be there without them.
func drain(run tree.Run, fifos string, sink job.Sink) error {
	out := outputs(fifos)
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	var sources []journal.Source
	for stream, path := range map[journal.Stream]string{journal.Stdout: out.Stdout, journal.Stderr: out.Stderr} {
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("bring in the rest of the output: %w", err)
		}
		defer f.Close() // of a nil one too: it is gone
		sources = append(sources, journal.Source{Stream: stream, File: f})
	}
	opt, err := outputOptions(run, fifos, sink)
	if err != nil {
		return err
	}
	if err := journal.Drain(ctx, run.Logs(), sources, opt); err != nil {
		return fmt.Errorf("bring in the rest of the output: %w", err)
	}
	return nil
}

// endStreams tells journald that a run's streams have come to their end. A run that
// was never executed had none.
func endStreams(run tree.Run) error {
	claim, err := run.ReadClaim()
	if err != nil || claim == nil || claim.Identifier == "" {
		return err
	}
	spec, err := run.Spec()
	if err != nil {
		return err
	}
	origin, err := originOf(run, spec)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	return journal.EndStreams(ctx, origin, claim.Identifier)
}

// endingFor bounds how long stop-post asks the manager; the least units.StopTime has
// room for that and for drainFor.
const endingFor = 5 * time.Second

// ending adds what only the manager knows.
func ending(run tree.Run, exit *job.Exit) error {
	exit.StopUnknown = true
	store, ref, err := run.Locate()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), endingFor)
	defer cancel()
	b := dbusctl.New(ownScope(), store, nil)
	b.Ahead = true
	defer b.Close()
	e, err := b.Ending(ctx, ref)
	if err != nil {
		return err
	}
	exit.StopUnknown, exit.StopQueued, exit.ManagerStopping = false, e.StopQueued, e.ManagerStopping
	if !e.At.IsZero() {
		exit.At = e.At
	}
	return nil
}
