package dbusctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"jobman/failpoint"
	"jobman/job"
	"jobman/store/tree"
	"jobman/turn"
	"jobman/units"
)

// Systemd is the backend. It connects when it is first needed. Its methods are
// safe for concurrent use.
type Systemd struct {
	scope string
	store tree.Tree
	exe   func() (string, error)

	// Log takes what is not worth failing for; default: nowhere.
	Log func(error)

	// Watcher is the process that watches what path units are too dear for.
	Watcher Resident
	// Deliverer delivers from the outbox.
	Deliverer Resident

	// Ahead goes ahead of those who wait for their turn with the manager: what
	// ends a run waits for nobody.
	Ahead bool

	mu      sync.Mutex // guards what follows
	conn    *conn
	direct  bool // the private socket only
	users   int  // methods under way
	endTurn func()
	idle    *time.Timer
	room    room
}

// New returns the backend of a scope, "system" or "user", for the jobs of a
// store. exe says where the jobman is that units execute, when one is started.
func New(scope string, store tree.Tree, exe func() (string, error)) *Systemd {
	return &Systemd{scope: scope, store: store, exe: exe}
}

func (s *Systemd) log(err error) {
	if err != nil && s.Log != nil {
		s.Log(err)
	}
}

// connect returns the connection, which stays open until disconnect was called as
// often, and a little longer.
func (s *Systemd) connect(ctx context.Context) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		s.idle.Stop()
	}
	s.users++
	// A connection does not survive daemon-reexec(1): dial again.
	if s.conn != nil && s.conn.bus.Connected() {
		return s.conn, nil
	}
	c, err := dial(ctx, s.scope, s.direct, func() {
		if s.endTurn == nil && !s.Ahead {
			s.endTurn = s.turn(ctx)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reach the systemd of the %s: %w", s.scope, err)
	}
	s.conn = c
	return c, nil
}

const (
	turnWait = 2 * time.Second
	idleFor  = 50 * time.Millisecond // then a turn is over
)

// turn waits for this process's turn. systemd sends each of its signals (a unit is new,
// a job is done, a property has changed) to every connection to its private socket, asked
// or not. What a hundred commands at once cost it therefore grows with the square of their
// number, unless they come one after another.
func (s *Systemd) turn(ctx context.Context) (end func()) {
	dir := filepath.Join(RuntimeDir(s.scope), "jobman")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return func() {} // the manager may be there all the same
	}
	return turn.Wait(ctx, filepath.Join(dir, "turn"), turnWait)
}

// reconnect connects anew, without the bus daemon.
func (s *Systemd) reconnect(ctx context.Context) (*conn, error) {
	s.mu.Lock()
	s.direct = true
	if s.conn != nil {
		_ = s.conn.bus.Close() // it is given up
		s.conn = nil
	}
	s.mu.Unlock()
	defer s.disconnect()
	return s.connect(ctx)
}

// disconnect ends what connect began, whether that succeeded or not.
func (s *Systemd) disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users > 0 {
		return
	}
	if s.idle == nil {
		s.idle = time.AfterFunc(idleFor, func() { s.log(s.Close()) })
		return
	}
	s.idle.Reset(idleFor)
}

// Manager implements engine.Backend.
func (s *Systemd) Manager(ctx context.Context) (string, error) {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return "", err
	}
	a, err := c.ask(ctx)
	if err != nil {
		return "", err
	}
	return a.identity, nil
}

// Start implements engine.Backend.
func (s *Systemd) Start(ctx context.Context, j *job.Job) error {
	c, steps, err := s.attach(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	ref := j.Ref()
	run := units.Run{
		Ref: ref, Spec: &j.Spec, Dir: string(s.store.Run(ref)), Exe: steps.Exe, Step: steps.Name(),
	}
	for _, p := range j.Spec.Property {
		properties, err := units.ParseProperty(p)
		if err != nil {
			return fmt.Errorf("start %s: %w", units.RunName(ref), err)
		}
		run.Properties = append(run.Properties, properties...)
	}
	run.Limit, _ = j.RunLimit(time.Now())
	run.Sink = j.Last().Sink
	if (j.Spec.Log.Stdout || j.Spec.Log.Stderr) && run.Sink != job.SinkJournal {
		run.FIFOs = units.FIFOsIn(RuntimeDir(s.scope), ref)
	}
	if grace := time.Duration(j.Spec.StopGrace); run.Limit > 0 && grace > 0 {
		// systemd has the limit; that the grace after it is over, a step sees.
		run.Late = steps.Late(ref, run.Limit+grace+overstay)
	}
	failpoint.Hit("start")
	watched := c.states(ctx, steps)
	failpoint.Hit("start-watch")
	started := c.startTransient(ctx, run.Units)
	failpoint.Hit("start-sent")
	keepErr := c.keep(ctx, steps, watched)
	if err := started.Store(); err != nil && !is(err, "UnitExists") {
		return fmt.Errorf("start %s: %w", units.RunName(ref), refused(err))
	}
	failpoint.Hit("started")
	// It runs, so it is no failed start, whatever became of the watch: OnFailure=
	// and the safety net see to it.
	s.log(keepErr)
	return nil
}

// overstay is how much later than its time a run is looked at, so that it is
// found to be over it.
const overstay = 100 * time.Millisecond

// refused marks the error of a manager that takes no units for now.
func refused(err error) error {
	if is(err, "TransactionIsDestructive") || is(err, "ShuttingDown") {
		return fmt.Errorf("%w: %w", job.ErrRefused, err)
	}
	return err
}

type property struct {
	Name  string
	Value dbus.Variant
}

type auxUnit struct {
	Name       string
	Properties []property
}

func (c *conn) startTransient(ctx context.Context, build func() (units.Unit, []units.Unit)) *reply {
	unit, aux := build()
	others := make([]auxUnit, len(aux))
	for i, a := range aux {
		others[i] = auxUnit{a.Name, properties(a)}
	}
	return c.manage(ctx, "StartTransientUnit", unit.Name, "fail", properties(unit), others)
}

func properties(u units.Unit) []property {
	out := make([]property, len(u.Properties))
	for i, p := range u.Properties {
		out[i] = property{p.Name, dbus.MakeVariant(p.Value)}
	}
	return out
}

// Stop implements engine.Backend. The stop signal is in the unit since it was
// started. That the grace is over, a timer makes jobman look at: systemd's own time
// for a stop is somewhat longer, see units.StopTime.
func (s *Systemd) Stop(ctx context.Context, ref job.Ref, how job.StopRequest) error {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	failpoint.Hit("stop")
	name := units.RunName(ref)
	now := how.Signal == "KILL" || how.Grace <= 0
	if now || how.Custom {
		sig := how.Signal
		if now {
			sig = "KILL"
		}
		if err := c.signal(ctx, name, "all", sig); err != nil && !errors.Is(err, job.ErrNotRunning) {
			return err
		}
	}
	failpoint.Hit("stop-signalled")
	if !how.Custom || now {
		err := c.manage(ctx, "StopUnit", name, "replace").Store()
		if err != nil && !is(err, "NoSuchUnit") {
			return fmt.Errorf("stop %s: %w", name, refused(err))
		}
	}
	failpoint.Hit("stopped")
	if now {
		return nil
	}
	steps, err := s.steps(ctx, c)
	if err != nil {
		return err
	}
	timer := c.startTransient(ctx, func() (units.Unit, []units.Unit) {
		return steps.Later(ref.ID, time.Now().UnixMicro(), how.Grace)
	})
	if err := timer.Store(); err != nil && !is(err, "UnitExists") {
		return fmt.Errorf("arm the end of the grace of %s: %w", name, refused(err))
	}
	return nil
}

// signal kills within a unit, but only while its command runs or is being
// stopped: in its stop-post the signal would hit jobman's own record. (Where the
// command ends just now it may hit it all the same. Then the unit fails, and
// still knows how its main process ended.)
func (c *conn) signal(ctx context.Context, name, whom string, sig job.Signal) error {
	found, err := c.list(ctx, []string{name})
	if err != nil {
		return err
	}
	for _, u := range found {
		switch u.Sub {
		case "start", "running", "stop", "stop-sigterm":
			err := c.manage(ctx, "KillUnit", name, whom, int32(sig.Number())).Store()
			switch {
			case whom == "main" && (is(err, "NoSuchUnit") || is(err, "NoSuchProcess")):
				return job.ErrNotRunning // what it has left behind is being stopped
			case err != nil && !is(err, "NoSuchUnit") && !is(err, "NoSuchProcess"):
				return fmt.Errorf("signal %s: %w", name, err)
			}
			return nil
		case "stop-post":
			if whom == "all" && sig == "KILL" {
				return c.killRest(ctx, name)
			}
		}
	}
	return job.ErrNotRunning
}

// Signal implements engine.Backend.
func (s *Systemd) Signal(ctx context.Context, ref job.Ref, sig job.Signal) error {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	return c.signal(ctx, units.RunName(ref), "main", sig)
}

// Forget implements engine.Backend.
func (s *Systemd) Forget(ctx context.Context, refs []job.Ref) error {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return err
	}
	failpoint.Hit("forget")
	var replies []*reply
	for _, ref := range refs {
		replies = append(replies, c.manage(ctx, "ResetFailedUnit", units.RunName(ref)))
	}
	if err := storeAll(replies, "NoSuchUnit"); err != nil {
		return fmt.Errorf("reset failed units: %w", err)
	}
	return nil
}

// Close implements engine.Backend. What is under way is left to end.
func (s *Systemd) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users > 0 {
		return nil
	}
	if s.endTurn != nil {
		s.endTurn()
		s.endTurn = nil
	}
	if s.conn == nil {
		return nil
	}
	err := s.conn.bus.Close()
	s.conn = nil
	return err
}
