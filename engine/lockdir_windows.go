package engine

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockDir takes the lock of a directory, which is made where it is missing, for as
// long as this process lives at most. held: somebody else has it.
func lockDir(dir string) (unlock func(), held bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, err
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	got, err := lock.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("lock %s: %w", dir, err)
	}
	return func() { _ = lock.Close() }, !got, nil
}
