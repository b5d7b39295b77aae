package house

import (
	"os"
	"path/filepath"

	"jobman/dbusctl"
	"jobman/engine"
	"jobman/supervisor"
)

// Systemd is where a systemd was looked for, and what was found.
type Systemd struct {
	Booted  bool   // PID 1 is systemd, see sd_booted(3)
	Manager bool   // the scope's manager has a socket
	Socket  string // where it was looked for
}

// FindSystemd looks for the manager of a scope.
func FindSystemd(scope string) Systemd {
	dir := dbusctl.RuntimeDir(scope)
	var s Systemd
	_, err := os.Stat("/run/systemd/system")
	s.Booted = err == nil
	for _, name := range []string{"systemd/private", "bus"} {
		if s.Manager {
			break
		}
		s.Socket = filepath.Join(dir, name)
		_, err := os.Stat(s.Socket)
		s.Manager = err == nil
	}
	if !s.Manager {
		s.Socket = filepath.Join(dir, "systemd/private")
	}
	return s
}

func (h *House) newSystemd(scope string) (engine.Backend, error) {
	b := dbusctl.New(scope, h.Tree, h.inner)
	b.Log = h.log
	b.Watcher, b.Deliverer = supervisor.NewWatcher(h.Tree), supervisor.NewDeliverer(h.Tree)
	return b, nil
}

func (h *House) findInner() (string, error) { return h.Tree.Executable(h.programs.carries("inner")) }
