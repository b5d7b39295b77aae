package main

import (
	"context"
	"errors"
	"io"
	"iter"

	"jobman/job"
	"jobman/journal"
)

// output is where the output of a run is read from: its files, or journald. Whatever
// prints output goes through here, so another kind of place need be known nowhere else.
type output struct {
	app  *app
	job  *job.Job
	run  int
	logs string
}

func (a *app) output(j *job.Job, run int) output {
	return output{a, j, run, a.tree.Run(job.Ref{ID: j.ID, Run: run}).Logs()}
}

// lineReader returns lines, and io.EOF at the end.
type lineReader interface {
	io.Closer
	Next() (journal.Line, error)
}

// open reads what there is now, unfinished lines included.
func (o output) open(opt journal.ReadOptions) (lineReader, error) {
	sink, err := o.app.sinkOf(o.app.ctx, o.job.ID, o.run)
	if err != nil {
		return nil, err
	}
	if sink == job.SinkJournal {
		return o.openJournald(opt), nil
	}
	r, err := journal.Open(o.logs, opt)
	if err != nil {
		return nil, err
	}
	r.Finish()
	return r, nil
}

// follow prints what there is and what comes until the run has ended.
func (o output) follow(ctx context.Context, opt journal.ReadOptions, ended <-chan struct{}, emit func(journal.Line) error) error {
	sink, err := o.app.sinkOf(ctx, o.job.ID, o.run)
	if err != nil {
		return err
	}
	if sink != job.SinkJournal {
		return journal.Follow(ctx, o.logs, opt, ended, emit)
	}
	identify := func() (string, error) {
		identifier, _, err := o.app.identify(o.job.ID, o.run)
		return identifier, err
	}
	stored, err := journal.FollowJournald(ctx, identify, opt, ended, emit)
	if err == nil {
		o.remember(stored, true, opt.Streams)
	}
	return err
}

// remember has tellLoss say what is missing in journald.
func (o output) remember(s *journal.Stored, over bool, streams journal.Streams) {
	o.app.untold.Store(job.Ref{ID: o.job.ID, Run: o.run}, func() error {
		return o.app.tellStored(o.job, o.run, s, over, streams)
	})
}

// errNoMore ends the reading of journald of which nothing more is wanted.
var errNoMore = errors.New("nothing more is wanted")

// openJournald reads from journald, line by line.
func (o output) openJournald(opt journal.ReadOptions) lineReader {
	next, stop := iter.Pull2(func(yield func(journal.Line, error) bool) {
		identifier, over, err := o.app.identify(o.job.ID, o.run)
		if err == nil && identifier == "" {
			return // it was not executed
		}
		var stored *journal.Stored
		if err == nil {
			stored, err = journal.ReadJournald(o.app.ctx, identifier, over, opt, func(line journal.Line) error {
				if !yield(line, nil) {
					return errNoMore
				}
				return nil
			})
		}
		switch {
		case err == nil:
			o.remember(stored, over, opt.Streams)
		case !errors.Is(err, errNoMore):
			yield(journal.Line{}, err)
		}
	})
	return &journaldReader{next, stop}
}

type journaldReader struct {
	next func() (journal.Line, error, bool)
	stop func()
}

// Next implements lineReader.
func (r *journaldReader) Next() (journal.Line, error) {
	line, err, ok := r.next()
	if !ok {
		return line, io.EOF
	}
	return line, err
}

// Close implements io.Closer.
func (r *journaldReader) Close() error {
	r.stop()
	return nil
}
