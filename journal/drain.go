package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Drain makes a run's output complete after its last writer has died: it waits for
// a pump that is about to write what it has read, and then itself writes what is
// left in the sources, which are FIFOs opened O_RDONLY|O_NONBLOCK. The pump may be
// alive, dead, or not started yet. A run that printed nothing costs three system
// calls and leaves no file.
//
// The context bounds the wait for the pump; if it ends first, nothing was read and
// the error is the context's. Otherwise the error is as for [Pump]. On Windows it
// is errors.ErrUnsupported: pipes there come to an end, and Pump sees it.
func Drain(ctx context.Context, logs string, sources []Source, opt Options) error {
	files := make([]*os.File, len(sources))
	for i, s := range sources {
		files[i] = s.File
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
	for _, in := range p.inlets {
		for !in.ended && p.take(in) > 0 && ctx.Err() == nil {
		}
	}
	return p.close()
}
