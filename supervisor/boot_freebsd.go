package supervisor

import (
	"encoding/hex"

	"golang.org/x/sys/unix"
)

// rssUnit is that of ru_maxrss, see getrusage(2).
const rssUnit = 1024

// bootID: kern.boot_id is 16 random bytes, new at each boot since FreeBSD 13, see
// sysctl(3). kern.boottime won't do: it changes when the clock is set.
func bootID() (string, error) {
	b, err := unix.SysctlRaw("kern.boot_id")
	return hex.EncodeToString(b), err
}
