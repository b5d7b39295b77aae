package dbusctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"
)

// lingerDir is where systemd-logind notes who lingers.
const lingerDir = "/var/lib/systemd/linger"

// Lingers tells whether the effective user's manager stays, or is started at
// boot, when the user is not logged in.
func Lingers() (bool, error) {
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return false, fmt.Errorf("find the user's name: %w", err)
	}
	_, err = os.Lstat(filepath.Join(lingerDir, u.Username))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// lingerWait bounds how long logind may take.
const lingerWait = 5 * time.Second

// SetLinger turns lingering on or off for the effective user, where that is
// allowed without a password; see SetUserLinger in org.freedesktop.login1(5).
// Turning it on also starts the user's manager.
func SetLinger(ctx context.Context, on bool) error {
	ctx, cancel := context.WithTimeout(ctx, lingerWait)
	defer cancel()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("reach systemd-logind: %w", err)
	}
	defer bus.Close()
	const interactive = false
	call := bus.Object("org.freedesktop.login1", "/org/freedesktop/login1").CallWithContext(ctx,
		"org.freedesktop.login1.Manager.SetUserLinger", 0, uint32(os.Geteuid()), on, interactive)
	if call.Err != nil {
		return fmt.Errorf("ask systemd-logind: %w", call.Err)
	}
	return nil
}

// AwaitManager waits until the user's manager can be reached.
func AwaitManager(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lingerWait)
	defer cancel()
	for {
		c, err := dial(ctx, "user", false, func() {})
		if err == nil {
			_, err = c.ask(ctx)
			_ = c.bus.Close() // it was only tried
		}
		if err == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}
