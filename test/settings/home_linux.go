package settings

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long what is killed may take to be gone.
const patience = time.Minute

// Home is the home of a user of jobman in a test, and so has a store of its own.
type Home struct {
	*testing.T
	Dir string
	Env []string // for what is run there
}

// NewHome makes a home. When the test ends all of its jobs are killed; it fails where
// something of them is left.
func NewHome(t *testing.T) *Home {
	t.Helper()
	h := &Home{T: t, Dir: t.TempDir()}
	h.Env = append(os.Environ(), "HOME="+h.Dir)
	if Here == "fork" {
		h.Env = append(h.Env, "JOBMAN_BACKEND=fork")
	}
	t.Cleanup(func() {
		if out, err := h.Command("kill", "-q", "--all", "--now").CombinedOutput(); err != nil {
			t.Errorf("kill all jobs: %v\n%s", err, out)
		}
		h.deserted()
	})
	return h
}

// Store is where the home's store is.
func (h *Home) Store() string { return filepath.Join(h.Dir, ".jobman", ".db") }

// Command is a jobman command of the home's user.
func (h *Home) Command(args ...string) *exec.Cmd {
	cmd := exec.Command("jobman", args...)
	cmd.Dir, cmd.Env = h.Dir, h.Env
	return cmd
}

// Jobman runs a command that must succeed, and returns what it printed.
func (h *Home) Jobman(args ...string) string {
	h.Helper()
	var stderr bytes.Buffer
	cmd := h.Command(args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		h.Fatalf("jobman %q: %v\n%s", args, err, stderr.Bytes())
	}
	return string(out)
}

// deserted waits until no process is left that has to do with the home: what is still
// on its way out would write into it while it is removed.
func (h *Home) deserted() {
	h.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		left := h.Processes()
		if len(left) == 0 {
			return
		}
		if time.Now().After(until) {
			h.Errorf("these are left of the test's jobs: %q", left)
			return
		}
	}
}

// Processes are the command lines of those that have to do with the home, by pid: it is
// in their arguments, their environment, or their working directory.
func (h *Home) Processes() map[string]string {
	h.Helper()
	found, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		h.Fatal(err)
	}
	all := map[string]string{}
	for _, proc := range found {
		// What can't be read is another user's, or has just ended.
		argv, err := os.ReadFile(filepath.Join(proc, "cmdline"))
		if err != nil || len(argv) == 0 {
			continue
		}
		env, _ := os.ReadFile(filepath.Join(proc, "environ"))
		cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
		if bytes.Contains(argv, []byte(h.Dir)) || bytes.Contains(env, []byte(h.Dir)) || cwd == h.Dir {
			all[filepath.Base(proc)] = strings.TrimRight(strings.ReplaceAll(string(argv), "\x00", " "), " ")
		}
	}
	return all
}
