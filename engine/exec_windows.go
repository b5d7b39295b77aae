package engine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"jobman/job"
	"jobman/store/tree"
)

// Exec is not possible here: Windows can't turn one program into another.
func Exec(tree.Run, Outputs) error {
	return fmt.Errorf("become a command: %w", errors.ErrUnsupported)
}

// LookPath finds the file that a command's first word means.
func LookPath(word, _ string) (string, error) { return exec.LookPath(word) }

// Inherit notes nothing: there are no such limits here.
func Inherit(*job.Spec, int) error { return nil }

// Environ returns the environment of this process.
func Environ() ([]byte, error) {
	var b []byte
	for _, s := range os.Environ() {
		b = append(append(b, s...), 0)
	}
	return b, nil
}
