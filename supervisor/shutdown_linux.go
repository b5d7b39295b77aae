package supervisor

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"time"
)

// shutdownAnswer is how long systemd may take to say what it is about.
const shutdownAnswer = 5 * time.Second

// shuttingDown tells whether the system is about to go down: who is deaf to SIGTERM then
// makes systemd wait for 90 s, first with the login session and then with all that is left
// (systemd-shutdown, which by then is PID 1).
func shuttingDown() bool {
	comm, err := os.ReadFile("/proc/1/comm")
	if err == nil && bytes.HasPrefix(comm, []byte("systemd-shutdow")) {
		return true
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil { // see sd_booted(3)
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownAnswer)
	defer cancel()
	// Its code only says that not all is well, and a shim has reaped it by then.
	out, _ := exec.CommandContext(ctx, "/usr/bin/systemctl", "is-system-running").Output()
	return bytes.Equal(bytes.TrimSpace(out), []byte("stopping"))
}
