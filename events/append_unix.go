//go:build unix

package events

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// appendTo writes to the end of a file. It calls the system itself: package os
// would ask it first whether a file that was opened can be waited for, in every
// process of a job.
func appendTo(file string, b []byte) {
	const flags = syscall.O_WRONLY | syscall.O_APPEND | syscall.O_CREAT | syscall.O_CLOEXEC | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	fd, err := syscall.Open(file, flags, 0o600)
	for errors.Is(err, syscall.EINTR) {
		fd, err = syscall.Open(file, flags, 0o600)
	}
	if err != nil {
		return
	}
	defer syscall.Close(fd) //nolint:errcheck // a line that is lost is lost
	if _, err := syscall.Write(fd, b); err != nil {
		return
	}
	// Where an append has left off is how long the file is.
	if size, err := syscall.Seek(fd, 0, io.SeekCurrent); err == nil && size > maxSize {
		rotate(fd, file)
	}
}

// rotate makes a file the one before. Of those who find the same file too large
// one does it, and only while that is the file in use.
func rotate(fd int, file string) {
	if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return // somebody else is about to, and if he can't the next one does
	}
	var open, named syscall.Stat_t
	if syscall.Fstat(fd, &open) != nil || syscall.Lstat(file, &named) != nil || open.Ino != named.Ino || open.Dev != named.Dev {
		return
	}
	_ = os.Rename(file, file+older) // then the next one tries
}
