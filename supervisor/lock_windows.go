package supervisor

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// What is locked can't be read by others, so the lock is on a byte far beyond the end, and
// the pid of the holder is in the file.
const lockedHigh = 1 // of the byte's place, see LockFileEx

// Who looks at a lock has it for a moment, so it is tried for again.
const (
	lockTries = 5
	lockAgain = 5 * time.Millisecond
)

func tryLock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: lockedHigh})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errHeld
	}
	return err
}

func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = tryLock(f)
	for try := 1; errors.Is(err, errHeld) && try < lockTries; try++ {
		time.Sleep(lockAgain)
		err = tryLock(f)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func holderOf(name string) (pid int, held bool, err error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close() // which gives it back
	if err := tryLock(f); !errors.Is(err, errHeld) {
		return 0, false, err
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return 0, true, err
	}
	word, _, _ := strings.Cut(string(b), "\n")
	pid, _ = strconv.Atoi(word) // it may be about to write it
	return pid, true, nil
}
