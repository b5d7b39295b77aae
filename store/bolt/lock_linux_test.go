package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobman/store"
	"jobman/store/storetest"
)

// waiting counts who waits for a lock of the store, as proc_locks(5) has it.
func waiting(t *testing.T, s *Store) (n int) {
	t.Helper()
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"turn", "lock"} {
		var st unix.Stat_t
		if err := unix.Stat(s.lockFile(name).Path(), &st); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(locks)) {
			if strings.Contains(line, " -> ") && strings.Contains(line, fmt.Sprintf(":%d ", st.Ino)) {
				n++
			}
		}
	}
	return n
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Readers could share the lock with the one who has it, but writers came first:
// neither of them starves.
func TestFirstComeFirstServed(t *testing.T) {
	s := fresh(t)
	submit(t, s, storetest.Job("name", "group"))
	unlock, err := s.lock(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex // guards entered
	var entered, want []int
	var all sync.WaitGroup
	for i, writable := range []bool{true, false, true, false, true, true, false, true} {
		all.Go(func() {
			unlock, err := s.lock(t.Context(), writable)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			entered = append(entered, i)
			mu.Unlock()
			unlock()
		})
		want = append(want, i)
		eventually(t, "one more waits", func() bool { return waiting(t, s) == i+1 })
	}
	mu.Lock()
	if len(entered) > 0 {
		t.Errorf("somebody entered: %v", entered)
	}
	mu.Unlock()
	unlock()
	all.Wait()
	if !slices.Equal(entered, want) {
		t.Errorf("the order was %v", entered)
	}
}

func TestReadersShareTheLock(t *testing.T) {
	s := fresh(t)
	submit(t, s, storetest.Job("name", "group"))
	first, err := s.lock(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer first()
	second, err := s.lock(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	second()
}

func TestAWaiterThatGaveUpIsNotInTheWay(t *testing.T) {
	s, _, release := held(t)
	ctx, cancel := context.WithCancel(t.Context())
	given := make(chan error)
	go func() {
		_, err := s.Query(ctx, store.Filter{})
		given <- err
	}()
	eventually(t, "the query waits", func() bool { return waiting(t, s) == 1 })
	cancel()
	if err := <-given; !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	release()
	submit(t, s, storetest.Job("name", "group"))
}

func TestAWaitThatIsTooLongNamesTheHolder(t *testing.T) {
	s, pid, release := held(t)
	s.wait = 20 * time.Millisecond
	for range 2 { // the second waits behind the first, which waits on
		_, err := s.Query(t.Context(), store.Filter{})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d (", pid)) {
			t.Errorf("the error is %v", err)
		}
	}
	release()
	s.wait = 20 * time.Second
	if jobs, err := s.Query(t.Context(), store.Filter{}); err != nil || len(jobs) != 1 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}
