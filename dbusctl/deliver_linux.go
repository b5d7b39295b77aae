package dbusctl

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"jobman/units"
)

// Deliver implements engine.Backend. Times are rounded up to seconds, so that what is
// due about the same time shares a timer.
func (s *Systemd) Deliver(ctx context.Context, at time.Time) error {
	c, steps, err := s.attach(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	if at.IsZero() {
		return s.startResident(ctx, c, "deliverer", s.Deliverer, steps.DelivererName(), steps.Deliverer)
	}
	at = at.Add(time.Second - 1).Truncate(time.Second)
	err = c.startTransient(ctx, func() (units.Unit, []units.Unit) { return steps.DeliverAt(at, time.Until(at)) }).Store()
	if err != nil && !is(err, "UnitExists") {
		return fmt.Errorf("set a timer for the next delivery: %w", refused(err))
	}
	return nil
}

// Enclose implements engine.Encloser.
func (s *Systemd) Enclose(ctx context.Context, event string, pid int, limit time.Duration) (end func() error, err error) {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return nil, err
	}
	unit := units.Callback(event, pid, limit)
	if err := c.startTransient(ctx, func() (units.Unit, []units.Unit) { return unit, nil }).Store(); err != nil {
		if syscall.Kill(pid, 0) != nil || is(err, "NoSuchProcess") {
			err = os.ErrProcessDone
		}
		return nil, fmt.Errorf("put a script into a unit of its own: %w", err)
	}
	return func() error {
		c, err := s.connect(context.WithoutCancel(ctx))
		defer s.disconnect()
		if err != nil {
			return err
		}
		return c.stopAll(context.WithoutCancel(ctx), []string{unit.Name})
	}, nil
}
