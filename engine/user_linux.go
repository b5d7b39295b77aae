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
	if err := unix.Setresgid(id.gid, id.gid, id.gid); err != nil {
		return fmt.Errorf("become group %d: %w", id.gid, err)
	}
	if err := unix.Setresuid(id.uid, id.uid, id.uid); err != nil {
		return fmt.Errorf("become user %d: %w", id.uid, err)
	}
	return nil
}
