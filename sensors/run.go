package sensors

import (
	"context"
	"io"
	"os/exec"
	"strings"

	"jobman/program"
)

const (
	// maxStderr is how much of what a program said last is told.
	maxStderr = 200
	// kept is how much is kept of what it says.
	kept = 4096
)

// run executes a program. The environment is the job's alone.
func (c Checker) run(ctx context.Context, stdout io.Writer, dir string, argv ...string) (ended *exec.Cmd, stderr string, err error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append([]string{}, c.Environ...) // not nil, which would be ours
	cmd.Stdout = stdout
	said := program.Tail{Most: kept}
	cmd.Stderr = &said
	if c.Prepare != nil {
		if err := c.Prepare(cmd); err != nil {
			return cmd, "", err
		}
	}
	err = program.Run(ctx, cmd)
	line := oneLine(said.LastLine())
	return cmd, strings.ToValidUTF8(line[:min(len(line), maxStderr)], ""), err
}
