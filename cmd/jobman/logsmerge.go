package main

import (
	"cmp"
	"container/heap"
	"errors"
	"io"
	"time"

	"jobman/journal"
)

// read prints what there is of the jobs, by time.
func (l *logsCmd) read(a *app, shares []*share, opt journal.ReadOptions, p *printer) error {
	if opt.Tail == 0 {
		return nil // a record that is being written would be new
	}
	rows := make([]*row, len(shares))
	for i, s := range shares {
		rows[i] = &row{share: s, runs: s.runs, place: i}
		rows[i].open = func(run int) (lineReader, error) {
			opt := opt
			opt.Tail = s.tail(run)
			opt.Deleted = a.tellDeleted(s.job, run, opt.Since)
			return a.output(s.job, run).open(opt)
		}
	}
	err := merge(rows, func(r *row) error { return p.line(r.share, r.run, r.line) })
	for _, s := range shares {
		for _, run := range s.runs {
			if err == nil {
				err = a.tellLoss(s.job, run)
			}
		}
	}
	return err
}

// row is the output of a job's runs, one line at a time.
type row struct {
	share *share
	runs  []int // still to be read
	open  func(run int) (lineReader, error)
	place int // among the rows

	reader lineReader
	run    int          // that reader is of
	begun  bool         // line is there
	line   journal.Line // the next one to be printed
	when   time.Time    // its time; of a line without one, when its run started
}

// next goes to the next line; io.EOF: there is none.
func (r *row) next() (err error) {
	for {
		if r.reader == nil {
			if len(r.runs) == 0 {
				return io.EOF
			}
			r.run, r.runs = r.runs[0], r.runs[1:]
			if r.reader, err = r.open(r.run); err != nil {
				return err
			}
		}
		r.line, err = r.reader.Next()
		if !errors.Is(err, io.EOF) {
			r.when = r.line.Time
			if err == nil && r.when.IsZero() {
				r.when = r.share.started(r.run)
			}
			return err
		}
		r.reader.Close()
		r.reader = nil
	}
}

func (r *row) close() {
	if r.reader != nil {
		r.reader.Close()
	}
}

// started is when a run began, or else when it was meant to.
func (s *share) started(run int) time.Time {
	r := s.job.Run(run)
	switch {
	case r == nil:
		return s.job.SubmittedAt
	case r.StartedAt.IsZero():
		return r.IntendedAt
	}
	return r.StartedAt
}

// merge calls emit for the rows as their lines follow one another in time; of one
// instant in the rows' order. The lines of each row stay in their order. A row is
// opened when it is its first run's turn: of a thousand jobs few have run at a time.
func merge(rows []*row, emit func(*row) error) error {
	h := make(rowHeap, 0, len(rows))
	for _, r := range rows {
		defer r.close()
		if len(r.runs) > 0 {
			r.when = r.share.started(r.runs[0])
			h = append(h, r)
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		r := h[0]
		if r.begun {
			if err := emit(r); err != nil {
				return err
			}
		}
		r.begun = true
		switch err := r.next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&h)
		case err != nil:
			return err
		case len(h) > 1:
			heap.Fix(&h, 0)
		}
	}
	return nil
}

// rowHeap implements heap.Interface: the earliest row is the first.
type rowHeap []*row

func (h rowHeap) Len() int      { return len(h) }
func (h rowHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h rowHeap) Less(i, j int) bool {
	return cmp.Or(h[i].when.Compare(h[j].when), cmp.Compare(h[i].place, h[j].place)) < 0
}
func (h *rowHeap) Push(any) {} // rows are never added
func (h *rowHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// eachLine calls do for all lines of a reader.
func eachLine(r lineReader, do func(journal.Line) error) error {
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(line); err != nil {
			return err
		}
	}
}
