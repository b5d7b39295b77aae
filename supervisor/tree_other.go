//go:build unix && !linux

package supervisor

import (
	"errors"
	"os"
	"syscall"

	"jobman/job"
	"jobman/store/tree"
)

// process is one of the run's tree.
type process struct{ pid, parent, group int }

// becomeSubreaper: there is none here. The tree is the command's process group,
// which is what it and those of its descendants form that don't leave it.
func becomeSubreaper() error { return nil }

// members returns the process group as one: a negative pid, see kill(2).
func members(main int, _ tree.Run, _ bool) ([]process, error) {
	if errors.Is(syscall.Kill(-main, 0), syscall.ESRCH) {
		return nil, nil
	}
	return []process{{pid: -main, group: main}}, nil
}

// isChild: the command leads its process group, and no other process can have
// that number while the group exists.
func isChild(pid, _ int) bool {
	group, err := syscall.Getpgid(pid)
	return err == nil && group == pid
}

// strays: nothing tells whose a process is here that has no shim.
func strays(job.Ref) ([]*os.Process, error) { return nil, nil }

// giveBack: what a program has mapped and does not use is the system's to take.
func giveBack() {}
