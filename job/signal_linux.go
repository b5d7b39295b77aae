package job

import "syscall"

var systemSignals = []struct {
	name   Signal
	number syscall.Signal
}{{"STKFLT", syscall.SIGSTKFLT}, {"PWR", syscall.SIGPWR}}

// realtimeSignals: the C library keeps 32 and 33 for itself, see signal(7).
func realtimeSignals() (min, max syscall.Signal) { return 34, 64 }
