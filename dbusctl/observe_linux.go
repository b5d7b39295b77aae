package dbusctl

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"

	"jobman/job"
	"jobman/units"
)

// listed is what ListUnitsByPatterns says of a unit.
type listed struct {
	Name, Load, Active, Sub string
	Path                    dbus.ObjectPath
	JobType                 string // of a job that is queued for it
}

// list returns those units that are loaded, and in one of the states; none: in
// any. Other calls would load a unit that isn't, only to say that it can't be
// found.
func (c *conn) list(ctx context.Context, patterns []string, states ...string) ([]listed, error) {
	var rows [][]any
	err := c.manage(ctx, "ListUnitsByPatterns", append([]string{}, states...), patterns).Store(&rows)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	found := make([]listed, len(rows))
	for i, row := range rows {
		// Picked by hand: there may be thousands, and godbus takes longer to
		// fill structs.
		if len(row) != 10 {
			return nil, fmt.Errorf("list units: systemd says %v of one", row)
		}
		u := &found[i]
		u.Name, _ = row[0].(string)
		u.Load, _ = row[2].(string)
		u.Active, _ = row[3].(string)
		u.Sub, _ = row[4].(string)
		u.Path, _ = row[6].(dbus.ObjectPath)
		u.JobType, _ = row[8].(string)
	}
	return found, nil
}

// fewRuns is how many names go into one call; for more, all runs are listed.
const fewRuns = 16

// Observe implements engine.Backend.
func (s *Systemd) Observe(ctx context.Context, refs []job.Ref) (map[job.Ref]job.Unit, error) {
	seen := make(map[job.Ref]job.Unit, len(refs))
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil && isGone(s.scope, err) {
		for _, ref := range refs {
			seen[ref] = job.Unit{State: job.UnitAbsent}
		}
		return seen, nil
	}
	if err != nil {
		return nil, err
	}
	patterns := []string{units.RunPattern}
	if len(refs) <= fewRuns {
		patterns = nil
	}
	for _, ref := range refs {
		name := units.RunName(ref)
		seen[ref] = job.Unit{State: job.UnitAbsent}
		if len(refs) <= fewRuns {
			patterns = append(patterns, name)
		}
	}
	found, err := c.list(ctx, patterns)
	if err != nil {
		return nil, err
	}
	dead := map[job.Ref]*reply{}
	for _, u := range found {
		ref, ok := units.ParseRun(u.Name)
		if _, wanted := seen[ref]; !ok || !wanted || u.Load == "not-found" {
			continue
		}
		state := job.UnitLive
		// A unit that is only about to start is inactive with a job.
		if (u.Active == "failed" || u.Active == "inactive") && u.JobType != "start" {
			state = job.UnitDead
			dead[ref] = c.call(ctx, u.Path, propAll, "")
		}
		seen[ref] = job.Unit{State: state, Stopping: u.Active == "deactivating" || u.JobType == "stop"}
	}
	for ref, r := range dead {
		var props map[string]dbus.Variant
		if err := r.Store(&props); err != nil {
			return nil, fmt.Errorf("ask how %s ended: %w", units.RunName(ref), err)
		}
		if load, _ := props["LoadState"].Value().(string); load == "not-found" {
			seen[ref] = job.Unit{State: job.UnitAbsent} // it went meanwhile
			continue
		}
		if begun(props) {
			seen[ref] = job.Unit{State: job.UnitLive} // somebody started it again meanwhile
			continue
		}
		u := seen[ref]
		u.Main = mainExit(props)
		seen[ref] = u
	}
	return seen, nil
}

// begun tells whether a unit that was listed as dead is so no more.
func begun(props map[string]dbus.Variant) bool {
	state, _ := props["ActiveState"].Value().(string)
	queued, _ := props["Job"].Value().([]any)
	id := uint32(0)
	if len(queued) > 0 {
		id, _ = queued[0].(uint32)
	}
	return id != 0 || state != "failed" && state != "inactive"
}

// mainExit reads how the main process of a dead service ended. Result is not
// looked at: it may tell the fate of stop-post instead.
func mainExit(props map[string]dbus.Variant) *job.Exit {
	code, _ := props["ExecMainCode"].Value().(int32)
	status, _ := props["ExecMainStatus"].Value().(int32)
	at, _ := props["ExecMainExitTimestamp"].Value().(uint64)
	if code == 0 || at == 0 {
		return nil
	}
	e := &job.Exit{At: time.UnixMicro(int64(at)).UTC(), StopUnknown: true}
	switch code { // si_code of SIGCHLD, see sigaction(2)
	case 1: // CLD_EXITED
		n := int(status)
		e.Code = &n
	default: // CLD_KILLED, CLD_DUMPED
		e.Signal = job.SignalName(syscall.Signal(status))
	}
	if id, ok := props["InvocationID"].Value().([]byte); ok {
		e.InvocationID = fmt.Sprintf("%x", id)
	}
	if ns, ok := props["CPUUsageNSec"].Value().(uint64); ok && ns != ^uint64(0) {
		s := float64(ns) / 1e9
		e.CPUSeconds = &s
	}
	return e
}

// Ending is what stop-post wants to know of its unit.
type Ending struct {
	At              time.Time // when the main process ended; zero: just now, or there was none
	StopQueued      bool      // somebody asked for the end
	ManagerStopping bool      // the machine or the session is going down
}

// Ending asks the manager about a run that is in its stop-post. Where that fails,
// it is tried once more, directly: daemon-reexec(1) cuts connections, and where the
// system goes down the bus may do so first.
func (s *Systemd) Ending(ctx context.Context, ref job.Ref) (Ending, error) {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err == nil {
		short, cancel := context.WithTimeout(ctx, greetWait)
		defer cancel()
		var e Ending
		if e, err = c.ending(short, ref); err == nil {
			return e, nil
		}
	}
	s.log(err)
	if c, err = s.reconnect(ctx); err != nil {
		return Ending{}, err
	}
	return c.ending(ctx, ref)
}

func (c *conn) ending(ctx context.Context, ref job.Ref) (Ending, error) {
	name := units.RunName(ref)
	path := unitPath(name)
	job := c.call(ctx, path, propGet, unitIface, "Job")
	ended := c.call(ctx, path, propGet, serviceIface, "ExecMainExitTimestamp")
	var queued struct {
		ID   uint32
		Path dbus.ObjectPath
	}
	var end uint64
	if err := job.Store(&queued); err != nil {
		return Ending{}, fmt.Errorf("ask what is queued for %s: %w", name, err)
	}
	if err := ended.Store(&end); err != nil {
		return Ending{}, fmt.Errorf("ask when %s ended: %w", name, err)
	}
	var e Ending
	if end != 0 {
		e.At = time.UnixMicro(int64(end)).UTC()
	}
	if queued.ID == 0 {
		return e, nil // mostly nobody has asked for the end
	}
	kind := c.call(ctx, queued.Path, propGet, service+".Job", "JobType")
	state := c.call(ctx, root, propGet, manager, "SystemState")
	left := c.call(ctx, path, propGet, unitIface, "ActiveExitTimestamp")
	var wanted, system string
	var stopping uint64
	if err := kind.Store(&wanted); err != nil {
		return Ending{}, fmt.Errorf("ask what is queued for %s: %w", name, err)
	}
	if err := state.Store(&system); err != nil {
		return Ending{}, fmt.Errorf("ask for the state of the system: %w", err)
	}
	if err := left.Store(&stopping); err != nil {
		return Ending{}, fmt.Errorf("ask when the stop of %s began: %w", name, err)
	}
	// A stop that came when the command had ended by itself, while something it
	// had left behind was being stopped, says nothing about it.
	natural := end != 0 && stopping >= end
	e.StopQueued = (wanted == "stop" || wanted == "restart") && !natural
	e.ManagerStopping = system == "stopping"
	return e, nil
}
