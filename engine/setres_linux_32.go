//go:build linux && (386 || arm)

package engine

import "golang.org/x/sys/unix"

// Those without 32 have ids of 16 bits here.
const setresuid, setresgid = unix.SYS_SETRESUID32, unix.SYS_SETRESGID32
