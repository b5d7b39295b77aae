//go:build unix

package engine

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockDir takes the lock of a directory, which is made where it is missing, for as
// long as this process lives at most. held: somebody else has it.
func lockDir(dir string) (unlock func(), held bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, err
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return func() { _ = f.Close() }, false, nil // which gives it back
	}
	held = errors.Is(err, syscall.EWOULDBLOCK)
	if err = fmt.Errorf("lock %s: %w", dir, err); held {
		err = nil
	}
	return nil, held, errors.Join(err, f.Close())
}
