//go:build unix && !linux

package journal

import (
	"context"
	"errors"
)

func playFull(context.Context, string) error { return errors.ErrUnsupported }
