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
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 6 && !strings.HasSuffix(fields[0], ":"): // from-to perms offset device inode path
			from, to = 0, 0
			if !strings.Contains(fields[1], "w") && fields[4] != "0" {
				_, err = fmt.Sscanf(fields[0], "%x-%x", &from, &to)
			}
		// Only what is the file's alone: a page that was changed (relocated, in
		// a position-independent program) would come back as it was.
		case len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" && to != 0 && err == nil:
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED) // else they stay
		}
	}
}
