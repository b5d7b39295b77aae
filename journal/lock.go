package journal

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockPoll is how often a lock that another process has is tried again. A
// blocking lock could not be given up when the context ends. The wait is short:
// nobody has the lock for longer than it takes to write what he has read, or than
// Options.Hold.
const lockPoll = time.Millisecond

// dirLock is the lock of a logs directory, on the file "lock" in it. Its file
// stays open from one hold to the next: opening it each time would double what a
// short line costs.
type dirLock struct {
	logs string
	file *os.File
	held bool
}

// acquire takes the lock, making the directory and the file if need be, and waits
// while another process has it. The error is the context's if that ended first.
func (l *dirLock) acquire(ctx context.Context) error {
	if l.held {
		return nil
	}
	if err := l.open(); err != nil {
		return err
	}
	for {
		ok, err := tryLock(l.file)
		if err != nil {
			return err
		}
		if ok {
			l.held = true
			return nil
		}
		if err := sleep(ctx, lockPoll); err != nil {
			return err
		}
	}
}

func (l *dirLock) open() error {
	if l.file != nil {
		return nil
	}
	// Only the last step of the path: a run's directory that is gone was deleted,
	// and must not come back.
	if err := os.Mkdir(l.logs, dirMode); err != nil && !os.IsExist(err) {
		return err
	} else if err != nil {
		info, err := os.Lstat(l.logs)
		if err == nil && !info.IsDir() { // a link is not followed
			err = &os.PathError{Op: "mkdir", Path: l.logs, Err: syscall.ENOTDIR}
		}
		if err != nil {
			return err
		}
	}
	f, err := os.OpenFile(filepath.Join(l.logs, lockName), os.O_RDWR|os.O_CREATE|noFollow, fileMode)
	if err != nil {
		return err
	}
	l.file = f
	return nil
}

// release lets go of the lock. It is explicit, not left to the closing of the
// file, because a process that was just forked may hold a copy of the descriptor.
func (l *dirLock) release() {
	if l.held {
		unlock(l.file)
		l.held = false
	}
}

func (l *dirLock) close() {
	l.release()
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// sleep waits, or returns the context's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
