// Package program runs short programs: the scripts of conditions and callbacks, and
// jobman-net. Nothing of one outlives its time, and of what it prints the end is kept.
package program

import (
	"bytes"
	"context"
	"os/exec"
	"time"
)

// outlived is how long children may hold its output open after a program's end.
const outlived = 100 * time.Millisecond

// Run runs a program to its end; see [Start] and [Wait].
func Run(ctx context.Context, cmd *exec.Cmd) error {
	if err := Start(ctx, cmd); err != nil {
		return err
	}
	return Wait(ctx, cmd)
}

// Start starts a program that [exec.CommandContext] made with this context: when that
// ends, the program is killed with all that it started.
func Start(ctx context.Context, cmd *exec.Cmd) error {
	cmd.WaitDelay = outlived
	ownGroup(cmd)
	err := cmd.Start()
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Wait waits for the end of a program. It returns the context's cause where the program
// was killed for that, and else what [exec.Cmd.Wait] does: [exec.ErrWaitDelay] where it
// succeeded, and left somebody that holds its output open.
func Wait(ctx context.Context, cmd *exec.Cmd) error {
	err := cmd.Wait()
	if ctx.Err() != nil && (cmd.ProcessState == nil || !cmd.ProcessState.Exited()) {
		return context.Cause(ctx)
	}
	return err
}

// Tail is a writer that keeps the end of what is written.
type Tail struct {
	Most int // how many bytes it keeps
	end  []byte
}

func (t *Tail) Write(p []byte) (int, error) {
	t.end = append(t.end, p[max(0, len(p)-t.Most):]...)
	t.end = append(t.end[:0], t.end[max(0, len(t.end)-t.Most):]...)
	return len(p), nil
}

// Bytes are what was kept.
func (t *Tail) Bytes() []byte { return t.end }

// LastLine is the last line that isn't blank, as it was written.
func (t *Tail) LastLine() string {
	text := bytes.TrimSpace(t.end)
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}
