package main

import (
	"context"
	"io"

	"jobman/job"
	"jobman/journal"
)

// output is where the output of a run is read from. Whatever prints output goes
// through here, so another kind of place need be known nowhere else.
type output struct{ logs string }

func (a *app) output(id job.ID, run int) output {
	return output{a.tree.Run(job.Ref{ID: id, Run: run}).Logs()}
}

// lineReader returns lines, and io.EOF at the end.
type lineReader interface {
	io.Closer
	Next() (journal.Line, error)
}

// open reads what there is now, unfinished lines included.
func (o output) open(opt journal.ReadOptions) (lineReader, error) {
	r, err := journal.Open(o.logs, opt)
	if err != nil {
		return nil, err
	}
	r.Finish()
	return r, nil
}

// follow is journal.Follow.
func (o output) follow(ctx context.Context, opt journal.ReadOptions, ended <-chan struct{}, emit func(journal.Line) error) error {
	return journal.Follow(ctx, o.logs, opt, ended, emit)
}

// lost tells what could not be kept.
func (o output) lost() (journal.Loss, error) { return journal.Lost(o.logs) }
