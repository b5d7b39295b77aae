package dbusctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// deadline bounds every call: a manager that doesn't answer is an error, never
// a wait without end.
const deadline = 30 * time.Second

const (
	service      = "org.freedesktop.systemd1"
	root         = dbus.ObjectPath("/org/freedesktop/systemd1")
	manager      = service + ".Manager"
	unitIface    = service + ".Unit"
	serviceIface = service + ".Service"
	propGet      = "org.freedesktop.DBus.Properties.Get"
	propAll      = "org.freedesktop.DBus.Properties.GetAll"
)

// MinVersion is the oldest systemd that has all that jobman needs.
const MinVersion = 244

// conn is a connection to a manager, with what is asked of it once.
type conn struct {
	bus     *dbus.Conn
	private bool // not by way of a bus daemon

	mu    sync.Mutex // guards about
	about *about
}

// about is what a manager says of itself.
type about struct {
	version  int
	identity string // boot, and when it began
}

// RuntimeDir is where a manager of the scope has its private socket: /run for
// the system, /run/user/UID for a user, also where XDG_RUNTIME_DIR is missing
// (cron, su, sudo) or belongs to somebody else.
func RuntimeDir(scope string) string {
	if scope == "system" {
		return "/run"
	}
	return "/run/user/" + strconv.Itoa(os.Geteuid())
}

// addresses are those to try, in order: that of the bus, unless direct, and the
// manager's private socket, which needs no bus daemon. On that one systemd sends
// each of its signals to every connection, asked or not, which is half of what a
// short job costs the manager.
func addresses(scope string, direct bool) (all []address) {
	dir := RuntimeDir(scope)
	bus := filepath.Join(dir, "bus")
	if scope == "system" {
		bus = "/run/dbus/system_bus_socket"
	}
	if !direct {
		all = append(all, address{bus, false})
	}
	return append(all, address{filepath.Join(dir, "systemd", "private"), true})
}

type address struct {
	path    string
	private bool
}

// dial connects to the manager of the scope. beforePrivate is called before it
// connects to the private socket.
func dial(ctx context.Context, scope string, direct bool, beforePrivate func()) (*conn, error) {
	var errs []error
	for _, a := range addresses(scope, direct) {
		if a.private {
			beforePrivate()
		}
		bus, err := dbus.Dial("unix:path="+dbus.EscapeBusAddressValue(a.path), dbus.WithContext(ctx))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		err = greet(ctx, bus, !a.private)
		if err == nil {
			return &conn{bus: bus, private: a.private}, nil
		}
		bus.Close()
		errs = append(errs, fmt.Errorf("%s: %w", a.path, err))
	}
	return nil, errors.Join(errs...)
}

// greetWait bounds a greeting. A bus daemon that is being started or stopped may
// leave it unanswered, and there is another way.
const greetWait = 2 * time.Second

// greet authenticates, and where there is a bus daemon says hello and makes sure
// that systemd is on that bus.
func greet(ctx context.Context, bus *dbus.Conn, daemon bool) error {
	timeout := time.AfterFunc(greetWait, func() { bus.Close() })
	defer timeout.Stop()
	if err := bus.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))}); err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	if !daemon {
		return nil
	}
	// Not Hello of bus, which would wait for the answer before the next question.
	ask := func(method string, args ...any) *dbus.Call {
		return bus.BusObject().GoWithContext(ctx, "org.freedesktop.DBus."+method, 0, make(chan *dbus.Call, 1), args...)
	}
	hello, owner := ask("Hello"), ask("NameHasOwner", service)
	if err := (<-hello.Done).Err; err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	owned := false
	if err := (<-owner.Done).Store(&owned); err != nil {
		return fmt.Errorf("look for systemd: %w", err)
	}
	if !owned {
		return errors.New("there is no systemd on this bus")
	}
	return nil
}

// ask asks the manager about itself, once.
func (c *conn) ask(ctx context.Context) (*about, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.about != nil {
		return c.about, nil
	}
	version := c.call(ctx, root, propGet, manager, "Version")
	began := c.call(ctx, root, propGet, manager, "UserspaceTimestamp")
	var v string
	var since uint64
	if err := version.Store(&v); err != nil {
		return nil, fmt.Errorf("ask for the version of systemd: %w", err)
	}
	if err := began.Store(&since); err != nil {
		return nil, fmt.Errorf("ask for the start of the manager: %w", err)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, err
	}
	a := &about{parseVersion(v), strings.TrimSpace(string(boot)) + "/" + strconv.FormatUint(since, 10)}
	if a.version < MinVersion {
		return nil, fmt.Errorf("systemd %s is too old, %d is needed", v, MinVersion)
	}
	c.about = a
	return a, nil
}

// parseVersion reads "252.38-1~deb12u1", "v256.4" or "255 (...)".
func parseVersion(s string) int {
	s = strings.TrimPrefix(s, "v")
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 0
	}
	return n
}

// reply is a call under way.
type reply struct {
	ctx    context.Context
	call   *dbus.Call
	cancel context.CancelFunc
}

// call sends a call and does not wait, so that several can be under way.
func (c *conn) call(ctx context.Context, path dbus.ObjectPath, method string, args ...any) *reply {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	return &reply{ctx, c.bus.Object(service, path).GoWithContext(ctx, method, 0, make(chan *dbus.Call, 1), args...), cancel}
}

// manage calls a method of the manager.
func (c *conn) manage(ctx context.Context, method string, args ...any) *reply {
	return c.call(ctx, root, manager+"."+method, args...)
}

// Store waits for the reply and reads it, as far as anything is wanted of it.
func (r *reply) Store(into ...any) error {
	defer r.cancel()
	select {
	case <-r.call.Done:
	case <-r.ctx.Done():
		return fmt.Errorf("systemd does not answer: %w", r.ctx.Err())
	}
	if r.call.Err != nil {
		return r.call.Err
	}
	if len(into) == 0 {
		return nil
	}
	return r.call.Store(into...)
}

// storeAll waits for all of the replies, and returns the first error that is not of
// a name.
func storeAll(replies []*reply, but string) (err error) {
	for _, r := range replies {
		if e := r.Store(); e != nil && !is(e, but) && err == nil {
			err = e
		}
	}
	return err
}

// is tells whether an error is the D-Bus error of that name, as listed in
// src/libsystemd/sd-bus/bus-common-errors.h of systemd.
func is(err error, name string) bool {
	var e dbus.Error
	return errors.As(err, &e) && e.Name == service+"."+name
}
