//go:build !linux

package journal

import "context"

func awaitRead(context.Context, bool) bool { return true }
