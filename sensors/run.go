package sensors

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"time"
)

// maxStderr is how much of what a program said last is told.
const maxStderr = 200

// outlived is how long children may hold stderr open after their parent's end.
const outlived = 100 * time.Millisecond

// run executes a program in a process group of its own, which is killed when the
// context ends. The environment is the job's alone.
func (c Checker) run(ctx context.Context, stdout io.Writer, dir string, argv ...string) (ended *exec.Cmd, stderr string, err error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append([]string{}, c.Environ...) // not nil, which would be ours
	cmd.Stdout = stdout
	var last lastLine
	cmd.Stderr = &last
	cmd.WaitDelay = outlived
	if c.Prepare != nil {
		if err := c.Prepare(cmd); err != nil {
			return cmd, "", err
		}
	}
	ownGroup(cmd)
	err = cmd.Run()
	if ctx.Err() != nil && (cmd.ProcessState == nil || !cmd.ProcessState.Exited()) {
		err = context.Cause(ctx)
	}
	return cmd, last.String(), err
}

// lastLine keeps the end of what is written.
type lastLine struct{ end []byte }

const kept = 4096

func (l *lastLine) Write(p []byte) (int, error) {
	l.end = append(l.end, p[max(0, len(p)-kept):]...)
	l.end = append(l.end[:0], l.end[max(0, len(l.end)-kept):]...)
	return len(p), nil
}

func (l *lastLine) String() string {
	text := bytes.TrimSpace(l.end)
	line := oneLine(string(text[bytes.LastIndexByte(text, '\n')+1:]))
	return strings.ToValidUTF8(line[:min(len(line), maxStderr)], "")
}
