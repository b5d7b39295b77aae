package journal

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// canMove says that bytes can be moved from a pipe into a file so that no kill
// comes in between.
const canMove = true

// move moves up to limit bytes from a source to the end of a file, without
// waiting. splice(2) takes out of a pipe just what the file has got, with the pipe
// locked: a process that is killed in it leaves a file that is longer by what was
// taken. (Kernel: iter_file_splice_write.) The errors are those of read, or an
// errSpool; then nothing was moved.
func (in *intake) move(i int, to *os.File, end int64, limit int) (int, error) {
	var n int64
	err := ignoreEINTR(func() error {
		at := end
		moved, err := unix.Splice(int(in.polled[i].Fd), nil, int(to.Fd()), &at, limit, unix.SPLICE_F_NONBLOCK)
		n = int64(moved) //nolint:unconvert // it is an int on some
		return err
	})
	switch {
	case errors.Is(err, errNothing):
		return 0, err
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errSpool, err)
	case n == 0:
		return 0, io.EOF
	}
	return int(n), nil
}

// freeRange makes a hole.
func freeRange(f *os.File, from, length int64) error {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from, length)
}

const (
	// pipeSize is what a pipe holds if nobody asks for more, in bytes.
	pipeSize = 64 << 10

	// grownSize is what a pipe may hold whose writer is faster than the pump: so
	// they take turns less often, which on few processors is what slows the writer.
	// It is the most that an unprivileged user may ask for (/proc/sys/fs/pipe-max-size).
	// All pipes of a user may have 16384 pages together (pipe-user-pages-soft), so it
	// is given back.
	grownSize = 1 << 20
)

// resize changes how much a source can hold. That is refused where the user has
// too many pages in pipes already, or where more is in it; it works all the same.
func (in *intake) resize(i, size int) {
	_, _ = unix.FcntlInt(uintptr(in.polled[i].Fd), unix.F_SETPIPE_SZ, size)
}
