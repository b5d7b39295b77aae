package supervisor

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// giveBack returns the memory that only the start of this program needed. Most of
// it are pages of the program's file: the kernel maps 16 around each that is
// touched, and everything that is linked in is initialized once. Those that are
// needed again come back from the page cache.
func giveBack() {
	debug.FreeOSMemory()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	var from, to uintptr
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var perms, offset, device string
		var inode, kib uint64
		line := lines.Text()
		if n, _ := fmt.Sscanf(line, "%x-%x %s %s %s %d", &from, &to, &perms, &offset, &device, &inode); n == 6 {
			if inode == 0 || strings.Contains(perms, "w") {
				to = 0
			}
			continue
		}
		// Only what is the file's alone: a page that was changed (relocated, in
		// a position-independent program) would come back as it was.
		if n, _ := fmt.Sscanf(line, "Anonymous: %d kB", &kib); n == 1 && kib == 0 && to != 0 {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED)
		}
	}
}
