package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jobman/job"
	"jobman/store/tree"
)

var errWindows = fmt.Errorf("the fork supervisor does not run on Windows yet: %w", errors.ErrUnsupported)

// Supervisor can't run anything on Windows yet; the choice of a backend says so
// before any of its methods could be called.
type Supervisor struct{}

// New returns it.
func New(tree.Tree, func() (string, error)) *Supervisor { return &Supervisor{} }

// Manager implements engine.Backend.
func (*Supervisor) Manager(context.Context) (string, error) { return "", errWindows }

// Start implements engine.Backend.
func (*Supervisor) Start(context.Context, *job.Job) error { return errWindows }

// Observe implements engine.Backend.
func (*Supervisor) Observe(context.Context, []job.Ref) (map[job.Ref]job.Unit, error) {
	return nil, errWindows
}

// Stop implements engine.Backend.
func (*Supervisor) Stop(context.Context, job.Ref, job.StopRequest) error { return errWindows }

// Signal implements engine.Backend.
func (*Supervisor) Signal(context.Context, job.Ref, job.Signal) error { return errWindows }

// Arm implements engine.Backend.
func (*Supervisor) Arm(context.Context, *job.Job) error { return errWindows }

// Disarm implements engine.Backend.
func (*Supervisor) Disarm(context.Context, job.ID) error { return errWindows }

// Armed implements engine.Backend.
func (*Supervisor) Armed(context.Context, []*job.Job) (map[job.ID]bool, error) {
	return nil, errWindows
}

// Deliver implements engine.Backend.
func (*Supervisor) Deliver(context.Context, time.Time) error { return errWindows }

// Forget implements engine.Backend.
func (*Supervisor) Forget(context.Context, []job.Ref) error { return errWindows }

// Close implements engine.Backend.
func (*Supervisor) Close() error { return nil }

// Shim is the internal verb `shim`, see shim_unix.go.
func Shim(string, time.Duration, job.Sink, func(job.Ref) error) error { return errWindows }

// Watch is the internal verb `watch`, see ticker_unix.go.
func Watch(tree.Tree, func() ([]*job.Job, error)) error { return errWindows }

// Tick is the internal verb `tick`, see ticker_unix.go.
func Tick(tree.Tree, func() ([]*job.Job, error)) error { return errWindows }

// Attend is for the internal verb `deliver`, see deliver_unix.go.
func Attend(tree.Tree, bool, func(<-chan struct{}) error, func() (bool, error)) error {
	return errWindows
}
