//go:build unix

package supervisor

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// reaped is a process that ended, and what it and those it waited for had used.
type reaped struct {
	pid    int
	status syscall.WaitStatus
	at     time.Time
	cpu    time.Duration
	peak   int64 // bytes
}

// reap waits for all children of this process, and closes the channel when there
// are none left and the run is over.
func reap(main int) <-chan reaped {
	out := make(chan reaped)
	go func() {
		defer close(out)
		for {
			var r reaped
			var usage syscall.Rusage
			pid, err := syscall.Wait4(-1, &r.status, 0, &usage)
			switch {
			case errors.Is(err, syscall.EINTR):
				continue
			case errors.Is(err, syscall.ECHILD):
				outlive(main)
				return
			case err != nil:
				fmt.Fprintln(os.Stderr, "jobman: shim: wait:", err)
				return
			}
			r.pid, r.at = pid, time.Now().UTC()
			r.cpu = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
			r.peak = int64(usage.Maxrss) * rssUnit //nolint:unconvert // it is an int32 on some
			out <- r
		}
	}()
	return out
}

// invocation is a random id of an execution, as systemd makes them.
func invocation() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}
