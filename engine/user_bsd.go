//go:build darwin || freebsd

package engine

import (
	"fmt"
	"syscall"
)

// become changes this process, which must have the right to.
func (id *identity) become() error {
	if err := syscall.Setgroups(id.groups); err != nil {
		return fmt.Errorf("set the groups: %w", err)
	}
	if err := syscall.Setgid(id.gid); err != nil {
		return fmt.Errorf("become group %d: %w", id.gid, err)
	}
	if err := syscall.Setuid(id.uid); err != nil {
		return fmt.Errorf("become user %d: %w", id.uid, err)
	}
	return nil
}
