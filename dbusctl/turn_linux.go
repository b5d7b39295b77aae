package dbusctl

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// systemd sends each of its signals (a unit is new, a job is done, a property has
// changed) to every connection to its private socket, asked or not. What a
// hundred commands at once cost it therefore grows with the square of their
// number, unless they come one after another: so where there is no bus daemon they
// take turns. It is a
// courtesy, not a lock that anything depends on: who has waited for long goes
// ahead, so that a process that was stopped in its turn holds up nobody.
const (
	turnWait = 2 * time.Second
	idleFor  = 50 * time.Millisecond // then a turn is over
)

// turn waits for this process's turn with the manager of the scope, and returns
// what ends it.
func turn(ctx context.Context, scope string) (end func()) {
	dir := filepath.Join(RuntimeDir(scope), "jobman")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return func() {} // the manager may be there all the same
	}
	lock := flock.New(filepath.Join(dir, "turn"), flock.SetPermissions(0o600))
	end = func() { _ = lock.Close() } // which unlocks
	if in, err := lock.TryLock(); in || err != nil {
		return end
	}
	entered := make(chan error, 1)
	go func() { entered <- lock.Lock() }()
	timeout := time.NewTimer(turnWait)
	defer timeout.Stop()
	select {
	case err := <-entered:
		if err != nil {
			end()
			return func() {}
		}
		return end
	case <-timeout.C:
	case <-ctx.Done():
	}
	// Nothing interrupts a flock(2): the goroutine leaves when it gets in.
	go func() {
		if <-entered == nil {
			end()
		}
	}()
	return func() {}
}
