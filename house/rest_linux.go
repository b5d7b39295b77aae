package house

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"jobman/dbusctl"
	"jobman/engine"
	"jobman/store/tree"
	"jobman/units"
)

// Pauses between two looks at what is left of a run.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// awaitRest waits until what the command has left behind is gone, so that no run is
// said to be over whose tree lives. systemd does that itself where the command ended
// first. But where it ended by the stop signal, which all of the tree got, systemd
// goes on to stop-post at once: here the rest has what is left of the grace, and is
// killed then.
func awaitRest(run tree.Run, began time.Time) error {
	group, ok := engine.OwnCgroup()
	if !ok {
		return nil // systemd kills what is left, later
	}
	self := os.Getpid()
	left, err := dbusctl.Members(group, self)
	if err != nil || len(left) == 0 {
		return err
	}
	spec, err := run.Spec()
	if err != nil {
		return err
	}
	grace := time.Duration(spec.StopGrace)
	limit := began.Add(units.StopTime(grace) - units.AfterGrace)
	until, err := stopBegan(run)
	if until = until.Add(grace); err != nil || until.After(limit) {
		until = limit
	}
	for pause := firstLook; len(left) > 0 && err == nil; pause = min(2*pause, lastLook) {
		if !time.Now().Before(until) {
			for _, pid := range left {
				if kerr := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(kerr, syscall.ESRCH) {
					err = errors.Join(err, kerr)
				}
			}
		}
		time.Sleep(pause)
		var lerr error
		left, lerr = dbusctl.Members(group, self)
		err = errors.Join(err, lerr)
	}
	return err
}

// stopBegan asks the manager since when the run has been stopping.
func stopBegan(run tree.Run) (time.Time, error) {
	store, ref, err := run.Locate()
	if err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), endingFor)
	defer cancel()
	b := dbusctl.New(ownScope(), store, nil)
	b.Ahead = true
	defer b.Close()
	return b.StopBegan(ctx, ref)
}
