package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
)

// telling is an engine whose jobs tell callbacks, for which the test answers.
type telling struct {
	*waiting
	send func(callback string) error

	mu   sync.Mutex // guards what follows
	told map[string]int
}

func newTelling(t *testing.T) *telling {
	w := &telling{waiting: newWaiting(t), told: map[string]int{}}
	w.send = func(string) error { return nil }
	w.Callbacks = w
	return w
}

// Send implements Callbacks.
func (w *telling) Send(_ context.Context, _ *job.Job, c *job.Callback, _ *job.Event) error {
	w.mu.Lock()
	w.told[c.Name]++
	w.mu.Unlock()
	return w.send(c.Name)
}

// fail has a job end of which a callback is to be told.
func (w *telling) fail(callback string) {
	w.t.Helper()
	j := &job.Job{
		ID: job.NewID(), Spec: job.Spec{Command: job.Texts([]string{"true"}), StopSignal: "TERM", Wait: job.Wait{Timedelta: delay(time.Hour)}},
		SubmittedAt: w.now(), Backend: "systemd", Scope: "user",
		Callbacks: []job.Callback{{Name: callback, Type: "script", On: []job.EventKind{job.EventJobFailure}}},
	}
	w.must(w.Submit(context.Background(), j, nil, false))
	w.must(w.Kill(context.Background(), j.ID, 0, ""))
}

// deliver delivers until nothing is due, and returns when the next is.
func (w *telling) deliver() time.Time {
	w.t.Helper()
	next, err := w.Deliver(w.t.Context(), nil, false)
	w.must(err)
	return next
}

func TestWhoHangsKeepsNobodyWaiting(t *testing.T) {
	w := newTelling(t)
	goOn, quick := make(chan struct{}), make(chan struct{})
	w.send = func(callback string) error {
		if callback == "quick" {
			close(quick)
			return nil
		}
		<-goOn
		return nil
	}
	for range 3 * sendAtOnce {
		w.fail("slow")
	}
	w.fail("quick")
	done := make(chan error)
	go func() {
		_, err := w.Deliver(t.Context(), nil, false)
		done <- err
	}()
	<-quick // told while the others hang
	w.mu.Lock()
	if n := w.told["slow"]; n > sendToOne {
		t.Errorf("%d of the slow ones at once", n)
	}
	w.mu.Unlock()
	close(goOn)
	if err := <-done; err != nil || w.told["slow"] != 3*sendAtOnce {
		t.Errorf("%v, told %v", err, w.told)
	}
}

// unwritable is a store that can't record for a while.
type unwritable struct {
	store.Store
	fails int
}

func (s *unwritable) Tried(ctx context.Context, all []job.Delivery) error {
	if s.fails > 0 {
		s.fails--
		return errors.New("no space left on device")
	}
	return s.Store.Tried(ctx, all)
}

func TestWhatCannotBeRecordedIsNotToldAgain(t *testing.T) {
	w := newTelling(t)
	w.fail("ops")
	w.Store = &unwritable{Store: w.Store, fails: 1}
	if next := w.deliver(); !next.IsZero() || w.told["ops"] != 1 {
		t.Errorf("told %v, and again at %s", w.told, next)
	}
}

func TestATryThatAClockPutOffForYears(t *testing.T) {
	w := newTelling(t)
	w.pass(10 * 365 * 24 * time.Hour)
	w.send = func(string) error { return errors.New("no network yet") }
	w.fail("ops")
	if next := w.deliver(); next.IsZero() {
		t.Fatal("it is not tried again")
	}
	w.pass(-10 * 365 * 24 * time.Hour)
	w.send = func(string) error { return nil }
	if next := w.deliver(); !next.IsZero() || w.told["ops"] != 2 {
		t.Errorf("told %v, and again at %s", w.told, next)
	}
}

// noSystemd is the backend of a systemd that is gone.
type noSystemd struct{ *paths }

func (noSystemd) Deliver(context.Context, time.Time) error { return errors.New("there is none") }

// process is the fork backend, which notes that it was asked to deliver.
type process struct {
	*paths
	asked *int
}

func (p process) Deliver(context.Context, time.Time) error {
	*p.asked++
	return nil
}

func TestWithoutItsSystemdAProcessDelivers(t *testing.T) {
	w := newTelling(t)
	asked := 0
	w.Backend = func(name, _ string) (Backend, error) {
		switch name {
		case "systemd":
			return noSystemd{(*paths)(w.waiting)}, nil
		case "fork":
			return process{(*paths)(w.waiting), &asked}, nil
		}
		return nil, fmt.Errorf("there is no backend %q", name)
	}
	w.fail("ops")
	if asked != 1 {
		t.Errorf("it was asked to deliver %d times", asked)
	}
}
