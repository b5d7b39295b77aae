package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"
)

// marked lists the processes that have the run's mark in their environment.
// Zombies have none.
func marked(t *testing.T, run string) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && bytes.Contains(append([]byte{0}, b...), []byte("\x00"+marker+"="+run+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// suspended tells whether a process was stopped by a signal, see proc(5).
func suspended(t *testing.T, pid int) bool {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, []byte(") T "))
}
