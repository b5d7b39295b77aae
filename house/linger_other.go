//go:build !linux

package house

import (
	"context"
	"errors"
)

// Lingers says yes: there is nothing like it here.
func Lingers() (bool, error) { return true, nil }

// SetLinger fails.
func SetLinger(context.Context, bool) error { return errors.ErrUnsupported }

// StartManager fails.
func StartManager(context.Context) error { return errors.ErrUnsupported }
