package supervisor

import (
	"errors"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"

	"jobman/job"
)

func giveReady(cmd *exec.Cmd, tell *os.File) { cmd.Stdout = tell }

// startApart starts a jobman with a console of its own, which nobody sees, outside of the
// job object of a run that calls jobman, and without an environment: that of a command is
// in its files. with sets what else it gets.
func startApart(with func(*exec.Cmd), exe string, args ...string) (*exec.Cmd, error) {
	start := func(flags uint32) (*exec.Cmd, error) {
		cmd := exec.Command(exe, args...)
		cmd.Dir, cmd.Env = filepath.VolumeName(exe)+`\`, []string{}
		cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: flags, HideWindow: true}
		with(cmd)
		return cmd, cmd.Start()
	}
	const apart = windows.CREATE_NO_WINDOW | windows.CREATE_NEW_PROCESS_GROUP
	cmd, err := start(apart | windows.CREATE_BREAKAWAY_FROM_JOB)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) { // it is in a job object that nobody may leave
		return start(apart)
	}
	return cmd, err
}

// detach returns the pipe on which this process says that it is ready.
func detach() (ready *os.File) { return os.Stdout }

// listen makes this process deaf to Ctrl-C and Ctrl-Break.
func listen() { ossignal.Notify(make(chan os.Signal, 1), os.Interrupt) }

// giveBack: what a program has mapped and does not use is the system's to take.
func giveBack() {}

// strays: whose process it is here that has no shim nothing tells.
func strays(job.Ref) ([]*os.Process, error) { return nil, nil }
