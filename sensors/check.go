// Package sensors checks the conditions that a job waits for, and tells what to
// watch in order to notice one coming to hold. It talks to no network: what does
// is in package remote, which a program of its own carries.
package sensors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"jobman/job"
)

// The limits of the kinds. A file system may hang as a network does.
var (
	fileLimit   = 15 * time.Second
	scriptLimit = 60 * time.Second
	netLimit    = 45 * time.Second
)

// grace is how long after its end a check may take to kill its processes.
const grace = time.Second

// Checker checks conditions of one job.
type Checker struct {
	Dir     string                // the job's working directory, where scripts run
	Environ []string              // the job's environment
	Prepare func(*exec.Cmd) error // may set the user that a script or jobman-net runs as; nil: nothing
	Net     string                // absolute path of jobman-net, which checks http and s3; "": there is none
}

// Check looks at one condition now. It returns when the context or the kind's own
// limit ends, and later than that only by what it takes to kill a process.
func (c Checker) Check(ctx context.Context, kind job.Kind, target string) job.Check {
	look, limit := c.looker(kind)
	if look == nil {
		return finish(job.Check{}, fmt.Errorf("no sensor checks conditions of kind %q", kind))
	}
	if !filepath.IsAbs(target) && kind != job.KindHTTP && kind != job.KindS3 {
		return finish(job.Check{}, fmt.Errorf("%q is no absolute path", target))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()

	// Apart, because a system call on a dead file system does not return.
	found := make(chan job.Check, 1)
	go func() {
		defer cancel()
		check, err := look(ctx, target)
		found <- finish(check, err)
	}()
	<-ctx.Done()
	select {
	case check := <-found:
		return check
	case <-time.After(grace):
		return finish(job.Check{}, context.Cause(ctx))
	}
}

func (c Checker) looker(kind job.Kind) (func(context.Context, string) (job.Check, error), time.Duration) {
	switch kind {
	case job.KindFile:
		return lookFile, fileLimit
	case job.KindNonopenFile:
		return lookNonopenFile, fileLimit
	case job.KindScript:
		return c.lookScript, scriptLimit
	case job.KindHTTP:
		return c.lookHTTP, netLimit
	case job.KindS3:
		return c.lookS3, netLimit
	}
	return nil, 0
}

func finish(check job.Check, err error) job.Check {
	if err != nil {
		check = job.Check{Error: oneLine(err.Error())}
	}
	check.At = time.Now().UTC()
	return check
}

// oneLine replaces what could end a line or do a terminal harm.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// gone tells that an error means no more than that a file is not there.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || isNotDir(err)
}
