package bolt

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// holder names the process that has locked a file, as far as proc_locks(5)
// knows: it doesn't know processes outside of our PID namespace.
func holder(path string) string {
	const nobody = "another process"
	var st unix.Stat_t
	locks, err := os.ReadFile("/proc/locks")
	if err != nil || unix.Stat(path, &st) != nil {
		return nobody
	}
	inode := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	for line := range strings.Lines(string(locks)) {
		// 1: FLOCK  ADVISORY  WRITE 2568 fe:00:1234 0 EOF; "->" marks waiters
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || f[5] != inode {
			continue
		}
		command, err := os.ReadFile("/proc/" + f[4] + "/comm")
		if err != nil {
			continue
		}
		return fmt.Sprintf("process %s (%s)", f[4], bytes.TrimSpace(command))
	}
	return nobody
}
