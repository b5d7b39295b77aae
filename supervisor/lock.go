package supervisor

import (
	"errors"
	"os"

	"jobman/store/tree"
)

const lockName = "lock"

var errHeld = errors.New("the lock is held")

// takeLock takes the lock of a run for as long as this process lives. The file
// must not be opened again by it: a lock of fcntl(2) is lost when any descriptor
// of its file is closed.
func takeLock(run tree.Run) (*os.File, error) { return lockFile(run.File(lockName)) }

// holder tells whether a process holds the lock of a run, and its pid: 0 where
// that has none here, as for one in another container.
func holder(run tree.Run) (pid int, held bool, err error) { return holderOf(run.File(lockName)) }
