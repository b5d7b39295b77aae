//go:build !linux

package house

import (
	"fmt"
	"os"
	"runtime"

	"jobman/engine"
)

// Systemd is where a systemd was looked for, and what was found.
type Systemd struct {
	Booted  bool
	Manager bool
}

// FindSystemd looks for the manager of a scope: there is none here.
func FindSystemd(string) Systemd { return Systemd{} }

func (h *House) newSystemd(string) (engine.Backend, error) {
	return nil, fmt.Errorf("there is no systemd on %s", runtime.GOOS)
}

// findInner returns this program.
func (h *House) findInner() (string, error) { return os.Executable() }
