package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"jobman/job"
	"jobman/store/tree"
)

// rssUnit is that of ru_maxrss, see getrusage(2).
const rssUnit = 1024

// process is one of the run's tree.
type process struct{ pid, parent, group int }

// becomeSubreaper makes this process the parent of all its descendants whose own
// parents end, so that its tree is the run's, also what has called setsid(2); see
// PR_SET_CHILD_SUBREAPER in prctl(2).
func becomeSubreaper() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// members lists what is left of the tree: all below this process but other shims,
// the ticker, and the deliverer.
// A shim is below us when our command ran `jobman`; its run is a job of its own,
// which under systemd would be a unit of its own.
//
// None is missing that matters: while we reap nothing, the topmost of what is
// left stays our child, if only as a zombie.
func members(_ int, own tree.Run, childless bool) ([]process, error) {
	if childless {
		return nil, nil
	}
	children, err := byParent()
	if err != nil {
		return nil, err
	}
	me := os.Getpid()
	if len(children[me]) == 0 {
		return nil, errors.New("/proc does not show the children there are")
	}
	var found []process
	for next := slices.Clone(children[me]); len(next) > 0; {
		p := next[len(next)-1]
		next = next[:len(next)-1]
		if isShim(p.pid, own) || isResident(p.pid) {
			continue
		}
		found = append(found, p)
		next = append(next, children[p.pid]...)
	}
	return found, nil
}

// isShim tells whether a process is the shim of another run than our own, if we are a
// shim: it says so, and holds that run's lock. That of our own must not be opened, see
// takeLock.
func isShim(pid int, own tree.Run) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	argv := bytes.Split(b, []byte{0})
	if err != nil || len(argv) < 3 || string(argv[1]) != "shim" {
		return false
	}
	run := tree.Run(argv[2])
	if _, _, err := run.Locate(); err != nil {
		return false
	}
	if own != "" {
		ours, err := os.Stat(string(own))
		if err != nil {
			return false
		}
		its, err := os.Stat(string(run))
		if err != nil || os.SameFile(ours, its) {
			return false
		}
	}
	by, _, err := holder(run)
	return err == nil && by == pid
}

// isResident tells whether a process is a ticker or a deliverer, which belong to no run:
// it says so, and holds its store's lock.
func isResident(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	argv := bytes.Split(b, []byte{0})
	if err != nil || len(argv) < 3 {
		return false
	}
	post := map[string]func(tree.Tree) post{"tick": tickerPost, "deliver": delivererPost}[string(argv[1])]
	if post == nil {
		return false
	}
	by, _, err := holderOf(post(tree.Tree(argv[2])).file(lockName))
	return err == nil && by == pid
}

// isChild tells whether a process is a child of another.
func isChild(pid, parent int) bool {
	p, err := stat(pid)
	return err == nil && p.parent == parent
}

// byParent lists all processes by their parents.
func byParent() (map[int][]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	children := map[int][]process{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, err := stat(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		children[p.parent] = append(children[p.parent], p)
	}
	return children, nil
}

// stat reads /proc/PID/stat, see proc(5): the name in parentheses, which may hold
// anything, then the state, the parent, and the process group.
func stat(pid int) (process, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, err
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 3 {
		return process{}, errors.New("/proc/PID/stat is cut short")
	}
	parent, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return process{}, err
	}
	group, err := strconv.Atoi(string(fields[2]))
	return process{pid, parent, group}, err
}

// strays lists, as handles (pidfd_open(2)), the processes that were executed with a run's
// names in their environment, see environ in proc(5): what hides it, or belongs to another
// user by now, is not found.
func strays(ref job.Ref) (found []*os.Process, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || !isOf(pid, ref) {
			continue
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			continue // it has ended meanwhile
		}
		if !isOf(pid, ref) {
			_ = p.Release() // the pid is another's by now
			continue
		}
		found = append(found, p)
	}
	return found, nil
}

// isOf tells whether a process is a run's. What jobman does in the background on behalf
// of a command that called it has its environment, and is not.
func isOf(pid int, ref job.Ref) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	b = append([]byte{0}, b...)
	for _, v := range []string{"JOBMAN_JOB_ID=" + string(ref.ID), "JOBMAN_RUN=" + strconv.Itoa(ref.Run)} {
		if !bytes.Contains(b, []byte("\x00"+v+"\x00")) {
			return false
		}
	}
	return !isShim(pid, "") && !isResident(pid)
}
