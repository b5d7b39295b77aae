package main

import (
	"fmt"
	"os"
)

// bootEntry is what calls jobman at boot, or at login, where systemd doesn't: a file
// setupboot_*.go for each system. It is known by its store.
type bootEntry struct{ exe, store string }

// setupBoot makes an entry, or takes it back.
func (a *app) setupBoot(undo bool) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	e := bootEntry{exe, string(a.tree)}
	current, there, err := e.installed()
	if err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	switch {
	case undo && !there:
		a.tell("nothing was set up")
	case undo:
		if err := e.remove(); err != nil {
			return fmt.Errorf("set up: %w", err)
		}
		a.tell("removed %s: jobs go on with the next jobman command after a boot", e.where())
	case current:
		a.tell("everything was set up already")
	default:
		if err := e.install(); err != nil {
			return fmt.Errorf("set up: %w", err)
		}
		a.tell("added %s: jobs go on at %s", e.where(), bootMoment)
	}
	return nil
}
