package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// bbolt waits for its own lock by trying every 50 ms, which makes it a lottery.
// In front of it there is a turnstile of two files that are waited for in the
// kernel: whoever wants in takes `turn`, waits in it for `lock` (shared to
// read, exclusive to write), and lets the next one to the turnstile. So
// everybody waits behind those who came before, and neither readers nor writers
// starve.

// lock waits for the turn of this transaction and returns what ends it.
func (s *Store) lock(ctx context.Context, writable bool) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := turnstile{turn: s.lockFile("turn"), lock: s.lockFile("lock"), writable: writable}
	if in, err := t.tryEnter(); in || err != nil {
		return t.leave, s.lockProblem(err, writable)
	}
	entered := make(chan error, 1)
	go func() { entered <- t.enter() }()
	timeout := time.NewTimer(s.wait)
	defer timeout.Stop()
	select {
	case err := <-entered:
		return t.leave, s.lockProblem(err, writable)
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout.C:
		err = fmt.Errorf("the store %s has been locked for %v by %s", s.tree, s.wait, holder(t.lock.Path()))
	}
	// Nothing interrupts a flock(2): the goroutine leaves when it gets in.
	go func() {
		if <-entered == nil {
			t.leave()
		}
	}()
	return nil, err
}

func (s *Store) lockFile(name string) *flock.Flock {
	return flock.New(filepath.Join(s.tree.Index(), name), flock.SetFlag(os.O_CREATE|nofollow), flock.SetPermissions(0o600))
}

// lockProblem lets readers go on without the files where nobody can write.
func (s *Store) lockProblem(err error, writable bool) error {
	if err == nil || !writable && errors.Is(err, syscall.EROFS) {
		return nil
	}
	return fmt.Errorf("lock the store: %w", err)
}

type turnstile struct {
	turn, lock *flock.Flock
	writable   bool
}

// tryEnter enters if nobody is in the way. It may come to hold the turn alone.
func (t turnstile) tryEnter() (bool, error) {
	if in, err := t.turn.TryLock(); !in || err != nil {
		return false, err
	}
	try := t.lock.TryRLock
	if t.writable {
		try = t.lock.TryLock
	}
	in, err := try()
	if in || err != nil {
		return in, errors.Join(err, t.turn.Unlock())
	}
	return false, nil
}

// enter waits for as long as it takes.
func (t turnstile) enter() error {
	if err := t.turn.Lock(); err != nil {
		return err
	}
	wait := t.lock.RLock
	if t.writable {
		wait = t.lock.Lock
	}
	return errors.Join(wait(), t.turn.Unlock())
}

// leave lets the next one in. Closing the file unlocks it in any case.
func (t turnstile) leave() { _ = t.lock.Unlock() }
