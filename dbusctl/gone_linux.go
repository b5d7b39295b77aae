package dbusctl

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// isGone tells whether the manager could not be reached because there is none: a
// user's ends at the last logout, or is killed, and takes all its units with it.
// That a socket is missing proves nothing, since it is made anew in a
// daemon-reexec(1); that no process of the user's is a manager does.
func isGone(scope string, dialed error) bool {
	if scope == "system" || !errors.Is(dialed, syscall.ENOENT) && !errors.Is(dialed, syscall.ECONNREFUSED) {
		return false
	}
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return false
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it ended just now
		}
		if err != nil {
			return false
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
			continue
		}
		comm, err := os.ReadFile(name)
		if err == nil && strings.TrimSpace(string(comm)) == "systemd" {
			return false
		}
	}
	return true
}
