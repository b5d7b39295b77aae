package journal

import (
	"os/exec"
	"runtime"
	"syscall"
)

// bindToUs has the command end when this process does, also if it is killed: a
// journalctl that follows and has nothing to print would stay for ever. The caller
// calls what is returned when the command has ended, in the same goroutine.
func bindToUs(cmd *exec.Cmd) (release func()) {
	// The signal comes with the end of the thread that started it.
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return runtime.UnlockOSThread
}
