package journal

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// errNothing is what read returns when there is nothing to read at the moment.
var errNothing = errors.New("nothing to read")

// intake reads anonymous pipes, which on Windows can be neither polled nor read
// without waiting: one goroutine per source reads and hands its buffer over. One
// that waits in a read when the pump ends stays until its pipe comes to its end.
type intake struct {
	done    <-chan struct{} // the context's
	taps    []*tap
	news    chan struct{} // some tap has something to look at
	stopped chan struct{}
}

type tap struct {
	full  chan chunk    // from the goroutine
	empty chan struct{} // to it: the buffer is free again
	now   chunk         // being read
}

type chunk struct {
	data []byte
	err  error
}

func newIntake(ctx context.Context, sources []Source) (*intake, error) {
	in := &intake{done: ctx.Done(), news: make(chan struct{}, 1), stopped: make(chan struct{})}
	for _, s := range sources {
		t := &tap{full: make(chan chunk, 1), empty: make(chan struct{}, 1)}
		in.taps = append(in.taps, t)
		go in.fill(s.File, t)
	}
	return in, nil
}

func (in *intake) fill(f *os.File, t *tap) {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		t.full <- chunk{buf[:n], err} // has room: the last one was taken
		select {
		case in.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
		select {
		case <-t.empty:
		case <-in.stopped:
			return
		}
	}
}

// wait returns when a source can be read or is at its end, the context has ended,
// or the time is over; less than 0 means no limit.
func (in *intake) wait(limit time.Duration) error {
	for i := range in.taps {
		if in.ready(i) {
			return nil
		}
	}
	var over <-chan time.Time
	if limit >= 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-in.news:
	case <-in.done:
	case <-over:
	}
	return nil
}

// ready reports whether there is something to read, or the end.
func (in *intake) ready(i int) bool {
	t := in.taps[i]
	if t == nil {
		return false
	}
	if len(t.now.data) == 0 && t.now.err == nil {
		select {
		case t.now = <-t.full:
		default:
			return false
		}
	}
	return true
}

// atEnd reports whether the source is at its end, with nothing left in it.
func (in *intake) atEnd(i int) bool {
	return in.ready(i) && len(in.taps[i].now.data) == 0 && errors.Is(in.taps[i].now.err, io.EOF)
}

// waiting returns how many bytes can be read at once.
func (in *intake) waiting(i int) int {
	if !in.ready(i) {
		return 0
	}
	return len(in.taps[i].now.data)
}

// read reads without waiting. The error is errNothing, io.EOF, or a real one.
func (in *intake) read(i int, b []byte) (int, error) {
	if !in.ready(i) {
		return 0, errNothing
	}
	t := in.taps[i]
	n := copy(b, t.now.data)
	if t.now.data = t.now.data[n:]; len(t.now.data) > 0 {
		return n, nil
	}
	if t.now.err != nil {
		return n, t.now.err
	}
	t.empty <- struct{}{}
	return n, nil
}

// drop takes a source out of what is waited for.
func (in *intake) drop(i int) { in.taps[i] = nil }

func (in *intake) close() { close(in.stopped) }

// Pending returns how many bytes wait in the files, which are pipes or FIFOs, with
// nothing taken out. On Windows it is errors.ErrUnsupported.
func Pending(...*os.File) (int, error) { return 0, errors.ErrUnsupported }
