// Package turn has processes come one after another where many at once would do each
// other's work again.
package turn

import (
	"context"
	"time"

	"github.com/gofrs/flock"
)

// Wait waits for this process's turn at a file, which is made, and returns what ends it.
// It is a courtesy, not a lock that anything depends on: who has waited for that long
// goes ahead, so that a process that was stopped in its turn holds up nobody, and so
// does who can't wait.
func Wait(ctx context.Context, file string, atMost time.Duration) (end func()) {
	lock := flock.New(file, flock.SetPermissions(0o600))
	leave := func() { _ = lock.Close() } // which unlocks
	if in, err := lock.TryLock(); in || err != nil {
		return leave
	}
	entered := make(chan error, 1)
	go func() { entered <- lock.Lock() }()
	timeout := time.NewTimer(atMost)
	defer timeout.Stop()
	select {
	case err := <-entered:
		if err != nil {
			leave()
			return func() {}
		}
		return leave
	case <-timeout.C:
	case <-ctx.Done():
	}
	// Nothing interrupts a flock(2): the goroutine leaves when it gets in.
	go func() {
		if <-entered == nil {
			leave()
		}
	}()
	return func() {}
}
