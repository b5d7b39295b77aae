package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"jobman/job"
)

// A stray is a process of a run whose shim was killed: nobody is there who sees it end,
// keeps what it prints, or stops it in time.

// strayWait is how long strays that were killed may take to be gone.
const strayWait = 5 * time.Second

// endStrays kills the strays of a run: at once, since there is nobody to wait for a grace.
func endStrays(ref job.Ref) error {
	for pause, until := firstPause, time.Now().Add(strayWait); ; pause = min(2*pause, lastPause) {
		left, err := strays(ref)
		if err != nil || len(left) == 0 {
			return err
		}
		for _, p := range left {
			if err := p.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
				release(left)
				return err
			}
		}
		release(left)
		if time.Now().After(until) {
			return fmt.Errorf("%d processes can't be killed", len(left))
		}
		time.Sleep(pause)
	}
}

// release gives handles back.
func release(all []*os.Process) {
	for _, p := range all {
		_ = p.Release() // it only closes
	}
}
