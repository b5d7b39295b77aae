package dbusctl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"jobman/job"
	"jobman/units"
)

// Arm implements engine.Backend. Jobs that wait for a moment share its timer; one
// that polls has a timer of its own for that, so that a slow check delays nobody; one
// that waits for files has a path unit, or the watcher. A new revision of these is
// made before the last one goes.
func (s *Systemd) Arm(ctx context.Context, j *job.Job) error {
	c, steps, err := s.attach(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	watched := c.states(ctx, steps)
	var replies []*reply
	if at := j.Armed.At; !at.IsZero() {
		replies = append(replies, c.startTransient(ctx, func() (units.Unit, []units.Unit) {
			return steps.Wake(at, time.Until(at))
		}))
	}
	if at := j.Armed.Poll; !at.IsZero() {
		replies = append(replies, c.startTransient(ctx, func() (units.Unit, []units.Unit) {
			return steps.Own(j.ID, j.Armed.Rev, at, time.Until(at))
		}))
	}
	path := len(j.Armed.Watches) > 0 && !j.Armed.Watcher
	if path {
		replies = append(replies, c.startTransient(ctx, func() (units.Unit, []units.Unit) {
			return steps.Files(j.ID, j.Armed)
		}))
	}
	keepErr := c.keep(ctx, steps, watched)
	if err := storeAll(replies, "UnitExists"); err != nil {
		return fmt.Errorf("wait for what %s waits for: %w", j.ID, refused(err))
	}
	s.log(keepErr)
	if path {
		err = c.watching(ctx, units.FilesName(j.ID, j.Armed)+".path")
	}
	if j.Armed.Watcher {
		err = s.startWatcher(ctx, c, steps)
	}
	if err != nil {
		return fmt.Errorf("watch what %s waits for: %w", j.ID, err)
	}
	if j.Armed.Rev > 1 {
		return c.stopOwn(ctx, j.ID, j.Armed.Rev)
	}
	return nil
}

// triggerTypes are the suffixes of the units that wait.
var triggerTypes = []string{".timer", ".path"}

// stopOwn stops a job's triggers that are older than a revision. Their services
// are left: one of them may be what calls.
func (c *conn) stopOwn(ctx context.Context, id job.ID, before int) error {
	var patterns []string
	for _, suffix := range triggerTypes {
		patterns = append(patterns, units.OwnPattern(id)+suffix)
	}
	found, err := c.list(ctx, patterns)
	if err != nil {
		return err
	}
	var names []string
	for _, u := range found {
		if _, rev, ok := units.ParseOwn(u.Name); ok && rev < before {
			names = append(names, u.Name)
		}
	}
	return c.stopAll(ctx, names)
}

func (c *conn) stopAll(ctx context.Context, names []string) error {
	var replies []*reply
	for _, name := range names {
		replies = append(replies, c.manage(ctx, "StopUnit", name, "replace"))
	}
	if err := storeAll(replies, "NoSuchUnit"); err != nil {
		return fmt.Errorf("stop what is not waited for: %w", refused(err))
	}
	return nil
}

// Disarm implements engine.Backend.
func (s *Systemd) Disarm(ctx context.Context, id job.ID) error {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	return errors.Join(c.stopOwn(ctx, id, math.MaxInt), s.Watcher.Poke())
}

// Armed implements engine.Backend.
func (s *Systemd) Armed(ctx context.Context, jobs []*job.Job) (map[job.ID]bool, error) {
	c, steps, err := s.attach(ctx)
	defer s.disconnect()
	if err != nil && isGone(s.scope, err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := c.triggers(ctx, steps, units.OwnPattern("")+".service")
	if err != nil {
		return nil, err
	}
	watcher, err := s.Watcher.There()
	if err != nil {
		return nil, fmt.Errorf("look for the watcher: %w", err)
	}
	armed := make(map[job.ID]bool, len(jobs))
	for _, j := range jobs {
		a := &j.Armed
		poll := units.OwnName(j.ID, a.Rev)
		armed[j.ID] = a.Rev > 0 &&
			(a.At.IsZero() || found[steps.WakeName(a.At)+".timer"]) &&
			(a.Poll.IsZero() || found[poll+".timer"] || found[poll+".service"]) && // it may be checked just now
			(len(a.Watches) == 0 || a.Watcher && watcher || !a.Watcher && found[units.FilesName(j.ID, *a)+".path"])
	}
	return armed, nil
}

// triggers lists the names of all that waits for a store's jobs, and of what
// other stores' jobs have of their own, and what else is asked for.
func (c *conn) triggers(ctx context.Context, steps units.Steps, also ...string) (map[string]bool, error) {
	patterns := append(also, steps.WakePattern())
	for _, suffix := range triggerTypes {
		patterns = append(patterns, units.OwnPattern("")+suffix)
	}
	found, err := c.list(ctx, patterns)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(found))
	for _, u := range found {
		if u.Active == "active" || u.Active == "activating" {
			names[u.Name] = true
		}
	}
	return names, nil
}

// Unneeded implements engine.Keeper. Of what single jobs have of their own only
// that is stopped whose job is the store's and does not wait for it any more; of
// jobs that are not there, nobody knows whose they were, and their next step finds
// nothing.
func (s *Systemd) Unneeded(ctx context.Context, jobs func() ([]*job.Job, error)) error {
	c, steps, err := s.attach(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	found, err := c.triggers(ctx, steps)
	if err != nil {
		return err
	}
	waiting, err := jobs()
	if err != nil {
		return err
	}
	ours := make(map[job.ID]job.Armed, len(waiting))
	for _, j := range waiting {
		ours[j.ID] = j.Armed
		delete(found, steps.WakeName(j.Armed.At)+".timer")
	}
	var names []string
	for name := range found {
		if id, rev, own := units.ParseOwn(name); own {
			armed, known := ours[id]
			if !known || rev == armed.Rev && armed.Any() {
				continue
			}
		}
		names = append(names, name)
	}
	return c.stopAll(ctx, names)
}
