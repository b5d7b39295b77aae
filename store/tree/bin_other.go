//go:build !linux

package tree

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Helper returns the path of a program that helps this one, and puts it into the
// store if it is not there; see bin_linux.go.
func (t Tree) Helper(name string, program func() (io.Reader, error)) (string, error) {
	path := filepath.Join(string(t), "bin", "jobman-"+name)
	if program == nil {
		if _, err := os.Lstat(path); err != nil {
			return "", nil
		}
		return path, nil
	}
	from, err := program()
	if err != nil {
		return "", fmt.Errorf("unpack jobman-%s: %w", name, err)
	}
	b, err := io.ReadAll(from)
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), WriteFile(path, b))
	}
	if err == nil {
		err = os.Chmod(path, 0o700)
	}
	return path, err
}
