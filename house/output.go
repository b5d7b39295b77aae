package house

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"jobman/engine"
	"jobman/job"
	"jobman/journal"
	"jobman/store/tree"
	"jobman/units"
)

// cutSink takes the sink, which comes last if there is one, off the arguments of an
// internal verb.
func cutSink(args []string) ([]string, job.Sink) {
	last := len(args) - 1
	switch sink := job.Sink(args[last]); sink {
	case job.SinkBoth, job.SinkJournal:
		return args[:last], sink
	}
	return args, job.SinkFile
}

// outputOptions are what a run's output is written with, by its pump and by stop-post.
// What a killed pump had taken is beside the FIFOs, on a tmpfs as they are.
func outputOptions(run tree.Run, fifos string, sink job.Sink) (opt journal.Options, err error) {
	spec, err := run.Spec()
	if err != nil {
		return opt, err
	}
	opt = journal.OptionsFor(&spec.Log)
	opt.Spool = fifos
	if sink == job.SinkBoth {
		origin, err := originOf(run, spec)
		if err != nil {
			return opt, err
		}
		opt.Copy = &origin
	}
	return opt, nil
}

func originOf(run tree.Run, spec *job.Spec) (journal.Origin, error) {
	_, ref, err := run.Locate()
	return journal.NewOrigin(ref, spec), err
}

// streams are the outputs of a run whose sink is journald alone. Their name can't be
// guessed: whoever knew it could add lines to the output, as any user may write to
// journald under any name.
func streams(run tree.Run) (engine.Outputs, error) {
	_, ref, err := run.Locate()
	if err != nil {
		return engine.Outputs{}, err
	}
	var secret [8]byte
	rand.Read(secret[:]) // never fails: crypto/rand ends the process instead
	identifier := fmt.Sprintf("jobman-%s-%d-%s", ref.ID, ref.Run, hex.EncodeToString(secret[:]))
	return engine.Outputs{Identifier: identifier, Connect: func(stream int) (int, error) {
		s := journal.Stdout
		if stream == 2 {
			s = journal.Stderr
		}
		return journal.DialStream(journal.StreamIdentifier(identifier, s), units.RunName(ref), s)
	}}, nil
}
