//go:build unix

package supervisor

import (
	"os"
	"os/exec"
	"syscall"
)

// readyFD is where a process that was started says that it is ready, or why it can't be.
const readyFD = 3

func giveReady(cmd *exec.Cmd, tell *os.File) { cmd.ExtraFiles = []*os.File{tell} }

// startApart starts a jobman in a session of its own, without an environment: that of a
// command is in its files. with sets what else it gets.
func startApart(with func(*exec.Cmd), exe string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(exe, args...)
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	with(cmd)
	return cmd, cmd.Start()
}
