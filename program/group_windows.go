package program

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// OwnSession does nothing: there are no sessions of processes here.
func OwnSession(*exec.Cmd) {}

// ownGroup has the program's children die with it.
func ownGroup(cmd *exec.Cmd) {
	cmd.Cancel = func() error {
		taskkill := filepath.Join(os.Getenv("SystemRoot"), "System32", "taskkill.exe")
		if exec.Command(taskkill, "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run() == nil {
			return nil
		}
		return cmd.Process.Kill()
	}
}
