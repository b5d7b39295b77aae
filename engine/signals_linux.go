package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// lastSignal is the kernel's _NSIG.
const lastSignal = 64

// defaultSignals gives every signal its default action, as the command is to
// find it: also those that whoever started us ignored, which execve(2) would keep,
// and those that Go handles. It is for a process that is about to execute.
func defaultSignals() {
	// In every layout of struct sigaction, zeros are SIG_DFL without flags.
	var zero [8]uint64
	for sig := uintptr(1); sig <= lastSignal; sig++ {
		// An error means KILL or STOP, which have no other action.
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&zero)), 0, 8, 0, 0)
	}
}
