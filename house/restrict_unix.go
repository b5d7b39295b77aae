//go:build unix

package house

import "syscall"

// Restrict keeps others from all that this process makes, and returns the umask
// that it inherited.
func Restrict() int { return syscall.Umask(0o077) }
