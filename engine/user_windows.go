package engine

import (
	"errors"
	"os/exec"

	"jobman/job"
)

var errNoUsers = errors.New("--uid and --gid need a system that has them")

// UserVariables refuses other users.
func UserVariables(spec *job.Spec) (map[string]string, error) {
	if spec.UID != "" || spec.GID != "" {
		return nil, errNoUsers
	}
	return nil, nil
}

// RunAs has a command run as the user and group that a spec asks for.
func RunAs(_ *exec.Cmd, spec *job.Spec) error {
	_, err := UserVariables(spec)
	return err
}
