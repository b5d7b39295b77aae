package callbacks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"jobman/job"
	"jobman/program"
)

const (
	// limit is how long a script, or jobman-net, may take.
	limit = time.Minute
	// kept is how much is kept of what a program prints.
	kept    = 64 << 10
	maxWord = 200
)

// Runner tells callbacks.
type Runner struct {
	Net     string                // path of jobman-net; "": there is none
	Environ []string              // the job's environment
	Dir     string                // where scripts are run
	Prepare func(*exec.Cmd) error // has a script run as the job's user; nil: as this one
	// Enclose puts a script that was started, and all that it will start, into a unit of
	// its own, and returns what ends that; nil: there is none.
	Enclose func(ctx context.Context, pid int, limit time.Duration) (end func() error, err error)
}

// Request is what jobman-net gets on stdin.
type Request struct {
	Callback *job.Callback `json:"callback"`
	Notice   *Notice       `json:"notice"`
}

// Answer is what it says on stdout.
type Answer struct {
	Error *job.SendError `json:"error"` // null: it was told
	Told  string         `json:"told,omitzero"`
}

// Send tells a callback, once. It returns what is to be said of it, free of secrets.
func (r *Runner) Send(ctx context.Context, c *job.Callback, n *Notice) (told string, err error) {
	if c.Type == "script" {
		return r.script(ctx, c.Key("path"), n)
	}
	answer, err := r.ask(ctx, "send", Request{c, n})
	if err != nil {
		return "", err
	}
	if answer.Error != nil {
		return "", answer.Error
	}
	return answer.Told, nil
}

// Templates are the keys of a callback that are templates of its messages.
var Templates = []string{"subject", "text", "html"}

// Check tells what is wrong with a callback's templates.
func (r *Runner) Check(ctx context.Context, c *job.Callback) error {
	answer, err := r.ask(ctx, "templates", c)
	if err == nil && answer.Error != nil {
		err = answer.Error
	}
	return err
}

// ask has jobman-net answer.
func (r *Runner) ask(ctx context.Context, verb string, what any) (answer Answer, err error) {
	if r.Net == "" {
		return answer, errors.New("this jobman was built without jobman-net; build it with make")
	}
	request, err := json.Marshal(what)
	if err != nil {
		return answer, fmt.Errorf("encode a request: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not told within %s", limit))
	defer cancel()
	cmd := exec.CommandContext(ctx, r.Net, verb)
	cmd.Dir, cmd.Env = "/", append([]string{}, r.Environ...)
	stdout, said, err := r.run(ctx, cmd, request, false)
	if err != nil {
		return answer, fmt.Errorf("jobman-net: %w%s", err, said)
	}
	if err := json.Unmarshal(stdout, &answer); err != nil {
		return answer, fmt.Errorf("jobman-net said no answer: %w", err)
	}
	return answer, nil
}

// script runs an executable with the notice on stdin and in variables, without a shell.
func (r *Runner) script(ctx context.Context, path string, n *Notice) (string, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return "", fmt.Errorf("encode the event: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("killed after %s", limit))
	defer cancel()
	cmd := exec.CommandContext(ctx, path)
	cmd.Dir = r.Dir
	if info, err := os.Stat(r.Dir); err != nil || !info.IsDir() {
		cmd.Dir = "/" // it may be gone by now
	}
	cmd.Env = append(append([]string{}, r.Environ...), n.Environ()...)
	if r.Prepare != nil {
		if err := r.Prepare(cmd); err != nil {
			return "", err
		}
	}
	_, said, err := r.run(ctx, cmd, append(text, '\n'), true)
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return "it ended with code 0" + said, nil
	case errors.As(err, &exit) && exit.Exited():
		return "", fmt.Errorf("exit code %d%s", exit.ExitCode(), said)
	}
	return "", fmt.Errorf("%w%s", err, said)
}

// run runs a program in a session of its own. said is the last line that it printed to
// stderr, to be appended to what is told.
func (r *Runner) run(ctx context.Context, cmd *exec.Cmd, stdin []byte, enclosed bool) (stdout []byte, said string, err error) {
	out, errs := program.Tail{Most: kept}, program.Tail{Most: kept}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	program.OwnSession(cmd)
	if err := program.Start(ctx, cmd); err != nil {
		return nil, "", err
	}
	if enclosed && r.Enclose != nil {
		end, eerr := r.Enclose(ctx, cmd.Process.Pid, limit)
		if eerr == nil {
			defer func() {
				// Who took the event must not get it again because the unit, which has a
				// limit of its own, can't be ended.
				if eerr := end(); err != nil {
					err = errors.Join(err, eerr)
				}
			}()
		} else if !errors.Is(eerr, os.ErrProcessDone) {
			err = eerr // it goes on in this process's unit
		}
	}
	werr := program.Wait(ctx, cmd)
	if werr == nil {
		// That it could not be enclosed is no reason to run it again.
		err = nil
	}
	return out.Bytes(), ending(errs.LastLine()), errors.Join(werr, err)
}

// ending makes a line that a program printed fit for the end of a message.
func ending(line string) string {
	line = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, line)
	if line == "" {
		return ""
	}
	return ": " + Clip(line, maxWord)
}
