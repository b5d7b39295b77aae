//go:build !linux

package journal

import (
	"errors"
	"os"
)

// canMove: elsewhere nothing takes bytes from a pipe and keeps them in one step.
const canMove = false

func (in *intake) move(int, *os.File, int64, int) (int, error) { return 0, errors.ErrUnsupported }

func freeRange(*os.File, int64, int64) error { return errors.ErrUnsupported }

// resize: elsewhere pipes grow by themselves, or can't.
func (in *intake) resize(int, int) {}

const pipeSize, grownSize = 64 << 10, 64 << 10
