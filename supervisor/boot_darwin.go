package supervisor

import "golang.org/x/sys/unix"

// rssUnit is that of ru_maxrss, see getrusage(2).
const rssUnit = 1

// bootID: kern.bootsessionuuid is new at each boot, see sysctl(3).
func bootID() (string, error) { return unix.Sysctl("kern.bootsessionuuid") }
