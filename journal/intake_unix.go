//go:build unix

package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// errNothing is what read returns when there is nothing to read at the moment.
var errNothing = unix.EAGAIN

// intake waits for and reads the sources: one thread, poll(2), no buffer of its
// own. The last descriptor polled is a pipe that becomes readable when the context
// ends.
type intake struct {
	files  []*os.File // keeps the descriptors alive
	polled []unix.PollFd
	wake   [2]*os.File
	stop   func() bool
}

func newIntake(ctx context.Context, sources []Source) (*intake, error) {
	in := &intake{}
	for _, s := range sources {
		fd, err := descriptor(s.File)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", s.Stream, err)
		}
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, fmt.Errorf("%v: %w", s.Stream, err)
		}
		in.files = append(in.files, s.File)
		in.polled = append(in.polled, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	if ctx.Done() == nil {
		return in, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	in.wake = [2]*os.File{r, w}
	in.polled = append(in.polled, unix.PollFd{Fd: int32(r.Fd()), Events: unix.POLLIN})
	in.stop = context.AfterFunc(ctx, func() { _, _ = w.Write([]byte{0}) }) // fails only once closed
	return in, nil
}

// descriptor returns the file's descriptor. Unlike File.Fd it leaves its mode as
// it is.
func descriptor(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	err = raw.Control(func(n uintptr) { fd = int(n) })
	return fd, err
}

// wait returns when a source can be read or is at its end, the context has ended,
// or the time is over; less than 0 means no limit.
func (in *intake) wait(limit time.Duration) error {
	ms := -1
	if limit >= 0 {
		ms = int((limit + time.Millisecond - 1) / time.Millisecond)
	}
	_, err := unix.Poll(in.polled, ms)
	if errors.Is(err, unix.EINTR) {
		// A signal, for instance of the runtime. The caller looks at the clock and
		// comes again.
		for i := range in.polled {
			in.polled[i].Revents = 0
		}
		return nil
	}
	return err
}

// ready reports whether the last wait found something to read, or the end.
func (in *intake) ready(i int) bool { return in.polled[i].Revents != 0 }

// atEnd reports whether the last wait found the source at its end, with nothing
// left in it. It matters because read, which would tell too, needs the lock, and a
// lock needs a directory, which a silent run must not get.
func (in *intake) atEnd(i int) bool {
	return in.polled[i].Revents&unix.POLLHUP != 0 && in.waiting(i) == 0
}

// waiting returns how many bytes can be read at once.
func (in *intake) waiting(i int) int {
	n, _ := pending(int(in.polled[i].Fd))
	return n
}

// read reads without waiting. The error is errNothing, io.EOF, or a real one.
func (in *intake) read(i int, b []byte) (n int, err error) {
	err = ignoreEINTR(func() error {
		n, err = unix.Read(int(in.polled[i].Fd), b)
		return err
	})
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// drop takes a source out of what is waited for: poll ignores negative descriptors.
func (in *intake) drop(i int) { in.polled[i] = unix.PollFd{Fd: -1} }

func (in *intake) close() {
	if in.stop != nil {
		in.stop()
		in.wake[0].Close()
		in.wake[1].Close()
	}
	runtime.KeepAlive(in.files)
}

// Pending returns how many bytes wait in the files, which are pipes or FIFOs, with
// nothing taken out. On Windows it is errors.ErrUnsupported.
func Pending(files ...*os.File) (int, error) {
	sum := 0
	for _, f := range files {
		fd, err := descriptor(f)
		if err != nil {
			return 0, err
		}
		n, err := pending(fd)
		runtime.KeepAlive(f)
		if err != nil {
			return 0, fmt.Errorf("count the bytes waiting in %s: %w", f.Name(), err)
		}
		sum += n
	}
	return sum, nil
}

func pending(fd int) (int, error) {
	if fd < 0 {
		return 0, nil
	}
	return unix.IoctlGetInt(fd, fionread)
}
