//go:build unix

package program

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// OwnSession has a program that is yet to be started lead a session.
func OwnSession(cmd *exec.Cmd) { attributes(cmd).Setsid = true }

// ownGroup has a program lead a process group, which is killed as a whole.
func ownGroup(cmd *exec.Cmd) {
	a := attributes(cmd)
	a.Setpgid = !a.Setsid // a session's leader leads a group anyway
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}

func attributes(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	return cmd.SysProcAttr
}
