package turn

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

const long = time.Minute

// newTurn is a file to wait at.
func newTurn(t *testing.T) string {
	dir := t.TempDir()
	t.Cleanup(func() {
		for os.RemoveAll(dir) != nil { // until who went ahead makes no file in it any more
			runtime.Gosched()
		}
	})
	return filepath.Join(dir, "turn")
}

func TestOneComesAfterAnother(t *testing.T) {
	file := newTurn(t)
	var mu sync.Mutex
	var all sync.WaitGroup
	turns := 0
	for range 20 {
		all.Go(func() {
			end := Wait(t.Context(), file, long)
			if !mu.TryLock() {
				t.Error("two have the turn")
				end()
				return
			}
			turns++
			mu.Unlock()
			end()
		})
	}
	all.Wait()
	if turns != 20 {
		t.Errorf("%d had a turn", turns)
	}
}

func TestNobodyWaitsForEver(t *testing.T) {
	file := newTurn(t)
	first := Wait(t.Context(), file, long)
	Wait(t.Context(), file, time.Millisecond)()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Wait(ctx, file, long)()
	first()
	// Those who went ahead do not keep the turn that they were given in the end.
	began := time.Now()
	Wait(t.Context(), file, long)()
	if time.Since(began) >= long {
		t.Error("nobody has left")
	}
}

func TestWhereThereCanBeNoFileNobodyWaits(t *testing.T) {
	Wait(t.Context(), filepath.Join(t.TempDir(), "none", "turn"), long)()
}
