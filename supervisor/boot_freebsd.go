package supervisor

import "golang.org/x/sys/unix"

// rssUnit is that of ru_maxrss, see getrusage(2).
const rssUnit = 1024

// bootID: kern.boot_id is new at each boot, see sysctl(3).
func bootID() (string, error) { return unix.Sysctl("kern.boot_id") }
