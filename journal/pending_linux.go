package journal

import "golang.org/x/sys/unix"

// fionread is the ioctl that counts the bytes waiting, FIONREAD in C.
const fionread = unix.TIOCINQ
