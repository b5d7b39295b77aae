package main

import (
	"bytes"
	"context"
	"io"

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
	sink, err := o.app.sinkOf(o.app.ctx, o.job, o.run)
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
	sink, err := o.app.sinkOf(ctx, o.job, o.run)
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

// openJournald reads from journald, line by line.
func (o output) openJournald(opt journal.ReadOptions) lineReader {
	ctx, cancel := context.WithCancel(o.app.ctx)
	r := &journaldReader{lines: make(chan journal.Line), cancel: cancel}
	go func() {
		defer close(r.lines)
		identifier, over, err := o.app.identify(o.job.ID, o.run)
		if err != nil || identifier == "" { // it was not executed
			r.err = err
			return
		}
		stored, err := journal.ReadJournald(ctx, identifier, over, opt, func(line journal.Line) error {
			line.Text = bytes.Clone(line.Text) // which is there until the next one only
			select {
			case r.lines <- line:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if r.err = err; err == nil {
			o.remember(stored, over, opt.Streams)
		}
	}()
	return r
}

// journaldReader returns what is read beside it: package journal calls for each line.
type journaldReader struct {
	lines  chan journal.Line // closed at the end
	err    error             // known then
	cancel func()
}

// Next implements lineReader.
func (r *journaldReader) Next() (journal.Line, error) {
	line, ok := <-r.lines
	switch {
	case ok:
		return line, nil
	case r.err != nil:
		return line, r.err
	}
	return line, io.EOF
}

// Close implements io.Closer.
func (r *journaldReader) Close() error {
	r.cancel()
	return nil
}
