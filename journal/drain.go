package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Drain makes a run's output complete after its last writer has died: it waits for
// a pump that is about to write what it has read, and then itself writes what is
// left in the sources, which are FIFOs opened O_RDONLY|O_NONBLOCK. The pump may be
// alive, dead, or not started yet. A run that printed nothing costs three system
// calls and leaves no file.
//
// A source without a file is a FIFO that is gone, because who would have drained it was
// killed. What a killed pump had taken from it is brought in all the same. What it held
// is lost, which is counted if a pump was killed: one that was alive has taken all of it
// before the FIFO went.
//
// The context bounds the wait for the pump; if it ends first, nothing was read and
// the error is the context's. Otherwise the error is as for [Pump]. On Windows it
// is errors.ErrUnsupported: pipes there come to an end, and Pump sees it.
func Drain(ctx context.Context, logs string, sources []Source, opt Options) error {
	sources = slices.Clone(sources)
	files := make([]*os.File, len(sources))
	gone := make([]bool, len(sources))
	for i, s := range sources {
		if gone[i] = s.File == nil; gone[i] {
			ended, err := emptyPipe()
			if err != nil {
				return fmt.Errorf("drain: %w", err)
			}
			defer ended.Close()
			sources[i].File = ended
		}
		files[i] = sources[i].File
	}
	// In this order: a pump makes the lock before it takes the first byte.
	n, err := Pending(files...)
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	if _, err := os.Lstat(filepath.Join(logs, lockName)); n == 0 && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	p, err := newPump(context.Background(), logs, sources, opt)
	if err != nil {
		return err
	}
	defer p.intake.close()
	p.log.create = false
	if p.log.copy != nil {
		p.log.copy.closing = copyDraining
	}
	if err := p.log.acquire(ctx); err != nil {
		p.log.lock.close()
		return fmt.Errorf("wait for the pump: %w", err)
	}
	killed := p.log.spool != nil
	for _, in := range p.inlets {
		for !in.ended && p.take(in) > 0 && ctx.Err() == nil {
		}
		if killed && gone[in.index] {
			p.log.at(p.opt.now())
			p.log.count(in.stream, grownSize)
			p.log.err = errGone
		}
	}
	return p.close()
}

// errGone is why what a FIFO held is lost: at most what it can hold.
var errGone = errors.New("whoever would have read it was killed")

// emptyPipe is a pipe at its end.
func emptyPipe() (*os.File, error) {
	r, w, err := os.Pipe()
	if err == nil {
		err = w.Close()
	}
	return r, err
}
