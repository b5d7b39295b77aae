package house

import (
	"context"

	"jobman/dbusctl"
)

// Lingers tells whether the user's jobs go on when the user logs out.
func Lingers() (bool, error) { return dbusctl.Lingers() }

// SetLinger turns that on or off, where it is allowed without a password.
func SetLinger(ctx context.Context, on bool) error { return dbusctl.SetLinger(ctx, on) }

// StartManager starts the user's manager where there is none, as under cron(8) or
// su(1), by turning lingering on.
func StartManager(ctx context.Context) error {
	if err := dbusctl.SetLinger(ctx, true); err != nil {
		return err
	}
	if !dbusctl.AwaitManager(ctx) {
		return context.DeadlineExceeded
	}
	return nil
}
