//go:build unix && !linux

package engine

import (
	"os"
	"os/signal"
	"syscall"
)

// defaultSignals sees to it that the command finds no signal ignored that
// whoever started us ignored: a signal that is caught is reset by execve(2), one
// that is ignored stays so. The others are left alone: a stop signal that comes
// just now must not be caught.
func defaultSignals() {
	for n := syscall.Signal(1); n < 65; n++ {
		if signal.Ignored(n) {
			signal.Notify(make(chan os.Signal, 1), n)
		}
	}
}
