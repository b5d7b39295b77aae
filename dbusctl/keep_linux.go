package dbusctl

import (
	"context"
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"jobman/job"
	"jobman/units"
)

// attach connects, and returns with the connection what the units are built from
// that call jobman. disconnect follows it, also when it fails.
func (s *Systemd) attach(ctx context.Context) (*conn, units.Steps, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, units.Steps{}, err
	}
	steps, err := s.steps(ctx, c)
	return c, steps, err
}

func (s *Systemd) steps(ctx context.Context, c *conn) (units.Steps, error) {
	exe, err := s.exe()
	if err != nil {
		return units.Steps{}, err
	}
	a, err := c.ask(ctx)
	if err != nil {
		return units.Steps{}, err
	}
	return units.Steps{Store: string(s.store), Exe: exe, Inbox: s.store.Inbox(), Version: a.version}, nil
}

// state asks for a unit's ActiveState. That loads the unit if it isn't, for a
// moment; it is cheaper than a list, which goes through all there are.
func (c *conn) state(ctx context.Context, name string) *reply {
	return c.call(ctx, unitPath(name), propGet, unitIface, "ActiveState")
}

func unitPath(name string) dbus.ObjectPath {
	return root + "/unit/" + dbus.ObjectPath(systemd.PathBusEscape(name))
}

// states asks for those of the units that call jobman.
func (c *conn) states(ctx context.Context, steps units.Steps) [2]*reply {
	return [2]*reply{c.state(ctx, steps.Path()), c.state(ctx, steps.Timer())}
}

// keep makes those of the units that call jobman that are not active.
func (c *conn) keep(ctx context.Context, steps units.Steps, states [2]*reply) error {
	var watch, net string
	err := states[0].Store(&watch)
	if nerr := states[1].Store(&net); err == nil {
		err = nerr
	}
	if err == nil && net != "active" {
		err = c.make(ctx, steps.Timer(), steps.Net)
	}
	if err == nil && watch != "active" {
		err = c.make(ctx, steps.Path(), steps.Watch)
	}
	if err != nil {
		return fmt.Errorf("watch for ended jobs: %w", refused(err))
	}
	return nil
}

// makeTries is how often make tries; the units can come and go between its calls.
const makeTries = 5

// make starts a unit and what it triggers. The unit may have been made meanwhile;
// or only what it triggers is still there, since it runs: a trigger keeps that
// loaded, not the other way round.
func (c *conn) make(ctx context.Context, name string, build func() (units.Unit, []units.Unit)) (err error) {
	alone := func() (units.Unit, []units.Unit) {
		unit, _ := build()
		return unit, nil
	}
	for range makeTries {
		if err = c.startTransient(ctx, build).Store(); !is(err, "UnitExists") {
			return err
		}
		if err = c.manage(ctx, "StartUnit", name, "replace").Store(); !is(err, "NoSuchUnit") {
			return err
		}
		// Should what it triggers go just now, the next round makes both.
		if err = c.startTransient(ctx, alone).Store(); err != nil && !is(err, "UnitExists") && !is(err, "BadUnitSetting") && !is(err, "NoSuchUnit") {
			return err
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// Keep implements engine.Keeper.
func (s *Systemd) Keep(ctx context.Context, on bool) error {
	c, steps, err := s.attach(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	if on {
		return c.keep(ctx, steps, c.states(ctx, steps))
	}
	for _, name := range []string{steps.Path(), steps.Timer()} {
		if err := c.stopped(ctx, name); err != nil {
			return fmt.Errorf("stop %s: %w", name, err)
		}
	}
	return nil
}

// stopped stops a unit and returns when it is: from then on nobody takes it for
// active.
func (c *conn) stopped(ctx context.Context, name string) error {
	for pause := time.Millisecond; ; pause *= 2 {
		err := c.manage(ctx, "StopUnit", name, "replace").Store()
		if err != nil {
			if is(err, "NoSuchUnit") {
				err = nil
			}
			return err
		}
		var state string
		if err := c.state(ctx, name).Store(&state); err != nil {
			return err
		}
		if state == "inactive" || state == "failed" {
			return nil
		}
		if pause > deadline {
			return fmt.Errorf("it stays %s", state)
		}
		time.Sleep(pause)
	}
}

// Failed implements engine.Keeper. A run's directory, and so its store, is in
// the command line of its stop-post.
func (s *Systemd) Failed(ctx context.Context) ([]job.Ref, error) {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return nil, err
	}
	found, err := c.list(ctx, []string{units.RunPattern}, "failed")
	if err != nil {
		return nil, err
	}
	asked := map[job.Ref]*reply{}
	for _, u := range found {
		if ref, ok := units.ParseRun(u.Name); ok {
			asked[ref] = c.call(ctx, u.Path, propGet, serviceIface, "ExecStopPost")
		}
	}
	var failed []job.Ref
	for ref, r := range asked {
		var commands dbus.Variant
		if err := r.Store(&commands); err != nil {
			return nil, fmt.Errorf("ask whose %s is: %w", units.RunName(ref), err)
		}
		if hasArgument(commands, string(s.store.Run(ref))) {
			failed = append(failed, ref)
		}
	}
	return failed, nil
}

// hasArgument looks for a word in the value of an Exec*= property.
func hasArgument(commands dbus.Variant, word string) bool {
	list, _ := commands.Value().([][]any)
	for _, command := range list {
		if len(command) < 2 {
			continue
		}
		args, _ := command[1].([]string)
		for _, a := range args {
			if a == word {
				return true
			}
		}
	}
	return false
}
