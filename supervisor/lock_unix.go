//go:build unix

package supervisor

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"jobman/store/tree"
)

var errHidden = errors.New("its shim is in another pid namespace")

// lockFile: see fcntl(2), whose F_GETLK tells who holds it.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		err = errHeld
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func holderOf(name string) (pid int, held bool, err error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil {
		return 0, false, err
	}
	if lock.Type == unix.F_UNLCK {
		return 0, false, nil
	}
	return max(0, int(lock.Pid)), true, nil
}

// shimOf returns a handle of the shim of a run, or nil where there is none. Where
// the system has handles (pidfd_open(2)) a signal through it can't reach another
// process that has got the pid since: the lock is looked at again with the handle
// in hand.
func shimOf(run tree.Run) (*os.Process, error) {
	for {
		pid, held, err := holder(run)
		switch {
		case err != nil || !held:
			return nil, err
		case pid == 0:
			return nil, errHidden
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			return nil, err
		}
		if again, _, err := holder(run); err == nil && again == pid {
			return p, nil
		}
		if err := p.Release(); err != nil {
			return nil, err
		}
	}
}
