package engine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// become changes this thread, which is about to execute the command and must have
// the right to. Not by package syscall, which changes all threads by signals,
// which have their default actions by now.
func (id *identity) become() error {
	if err := unix.Setgroups(id.groups); err != nil {
		return fmt.Errorf("set the groups: %w", err)
	}
	if err := setAll(setresgid, id.gid); err != nil {
		return fmt.Errorf("become group %d: %w", id.gid, err)
	}
	if err := setAll(setresuid, id.uid); err != nil {
		return fmt.Errorf("become user %d: %w", id.uid, err)
	}
	return nil
}

// setAll sets the real, the effective and the saved id of this thread.
func setAll(call, id int) error {
	_, _, errno := unix.RawSyscall(uintptr(call), uintptr(id), uintptr(id), uintptr(id))
	if errno != 0 {
		return errno
	}
	return nil
}
