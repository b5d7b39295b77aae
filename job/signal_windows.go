package job

import "syscall"

var signals = []struct {
	name   Signal
	number syscall.Signal
}{
	{"HUP", syscall.SIGHUP}, {"INT", syscall.SIGINT}, {"QUIT", syscall.SIGQUIT},
	{"KILL", syscall.SIGKILL}, {"TERM", syscall.SIGTERM},
}

func realtimeSignals() (min, max syscall.Signal) { return 0, 0 }
