//go:build unix && !linux

package supervisor

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// marked lists the processes that have the run's mark in their environment, see
// -E (macOS) and -e (FreeBSD) in ps(1).
func marked(t *testing.T, run string) (pids []int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "ps -axwwE -o pid,command 2>/dev/null || ps -axwwe -o pid,command").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, marker+"="+run) {
			continue
		}
		if pid, err := strconv.Atoi(strings.Fields(line)[0]); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// suspended tells whether a process was stopped by a signal, see ps(1).
func suspended(t *testing.T, pid int) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasPrefix(strings.TrimSpace(string(out)), "T")
}
