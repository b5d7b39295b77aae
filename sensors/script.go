package sensors

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"jobman/job"
)

func (c Checker) lookScript(ctx context.Context, target string) (job.Check, error) {
	cmd, stderr, err := c.run(ctx, nil, c.Dir, target)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		detail := fmt.Sprintf("exit code %d", exit.ExitCode())
		if !exit.Exited() {
			detail = exit.String() // a signal
		}
		if stderr != "" {
			detail += ": " + stderr
		}
		return job.Check{Detail: detail}, nil
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return job.Check{Met: true, Detail: stderr}, nil
	case cmd.Process == nil:
		if info, statErr := os.Stat(target); statErr == nil && info.IsDir() {
			err = fmt.Errorf("%s is a directory", target) // exec says that permission is denied
		} else if _, dirErr := os.Stat(c.Dir); c.Dir != "" && gone(dirErr) {
			err = fmt.Errorf("working directory: %w", dirErr) // exec says that the script is not there
		}
	case stderr != "":
		err = fmt.Errorf("%w: killed: %s", err, stderr)
	default:
		err = fmt.Errorf("%w: killed", err)
	}
	return job.Check{}, err
}
