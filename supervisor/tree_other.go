//go:build unix && !linux

package supervisor

import (
	"errors"
	"syscall"
	"time"
)

// becomeSubreaper: there is none here. The tree is the command's process group,
// which is what it and those children form that don't leave it.
func becomeSubreaper() error { return nil }

// outlive waits until the command's process group is gone.
func outlive(main int) {
	for !errors.Is(syscall.Kill(-main, 0), syscall.ESRCH) {
		time.Sleep(killAgain)
	}
}

// descendants is the process group: a negative pid, see kill(2).
func descendants(main int) ([]int, error) { return []int{-main}, nil }

// isChild: the command leads its process group, and no other process can have
// that number while the group exists.
func isChild(pid, _ int) bool {
	group, err := syscall.Getpgid(pid)
	return err == nil && group == pid
}
