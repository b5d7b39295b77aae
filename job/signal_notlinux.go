//go:build unix && !linux

package job

import "syscall"

var systemSignals []struct {
	name   Signal
	number syscall.Signal
}

func realtimeSignals() (min, max syscall.Signal) { return 0, 0 }
