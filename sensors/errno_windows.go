package sensors

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

func isNotDir(err error) bool {
	return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, windows.ERROR_DIRECTORY)
}
