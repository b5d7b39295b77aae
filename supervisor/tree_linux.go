package supervisor

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// rssUnit is that of ru_maxrss, see getrusage(2).
const rssUnit = 1024

// becomeSubreaper makes this process the parent of all its descendants whose own
// parents end, so that its tree is the run's, also what has called setsid(2); see
// PR_SET_CHILD_SUBREAPER in prctl(2).
func becomeSubreaper() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// outlive: without children nothing of the tree is left.
func outlive(int) {}

// descendants lists the processes below this one.
func descendants(int) ([]int, error) {
	children, err := byParent()
	if err != nil {
		return nil, err
	}
	var found []int
	for next := children[os.Getpid()]; len(next) > 0; {
		var below []int
		for _, pid := range next {
			found = append(found, pid)
			below = append(below, children[pid]...)
		}
		next = below
	}
	return found, nil
}

// isChild tells whether a process is a child of another.
func isChild(pid, parent int) bool {
	of, err := parentOf(pid)
	return err == nil && of == parent
}

// byParent lists all processes by their parents.
func byParent() (map[int][]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		parent, err := parentOf(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		children[parent] = append(children[parent], pid)
	}
	return children, nil
}

// parentOf reads the parent from /proc/PID/stat, see proc(5): the name in
// parentheses, which may hold anything, then the state, then the parent.
func parentOf(pid int) (int, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 2 {
		return 0, errors.New("/proc/PID/stat is cut short")
	}
	return strconv.Atoi(string(fields[1]))
}
