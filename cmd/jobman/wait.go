package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"jobman/job"
)

type waitCmd struct {
	Jobs    []string      `arg:"" name:"job" help:"Jobs, by id, name or beginning of the id."`
	Any     bool          `help:"Return when one of them completes."`
	Timeout *job.Duration `placeholder:"D" help:"Give up after this long, with code 124; the jobs go on."`
}

// Help implements kong's hook for the text below the summary.
func (*waitCmd) Help() string {
	return `Ends with 0 if every job is a success, else as the first, in the order given, that is
none: with its last run's exit code, 128+N for signal N, 124 for a timeout, 125 if
there is no code, 1 if the code was 0.

Examples:
  jobman wait backup
  jobman wait backup sync --timeout 1h || mail -s failed root < /dev/null
  jobman wait --any a b c`
}

// Run waits until the jobs complete.
func (w *waitCmd) Run(a *app) error {
	if err := a.open(); err != nil {
		return err
	}
	jobs, err := a.resolve(w.Jobs, newest, 1)
	if err != nil {
		return err
	}
	ctx := a.ctx
	if w.Timeout != nil {
		// Time for one look there is also with a timeout of 0.
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer time.AfterFunc(max(firstCheck, time.Duration(*w.Timeout)), func() { cancel(errTimeout) }).Stop()
	}
	var first *job.Job
	jobs, err = a.await(ctx, jobs, func(j *job.Job) bool {
		first = j
		return !w.Any
	})
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), errTimeout) && err != nil {
		if a.JSON {
			if err := a.printJobs(jobs); err != nil {
				return err
			}
		}
		a.note("%s", stillActive(jobs))
		return exitStatus(codeTimeout)
	}
	if err != nil {
		return err
	}
	if w.Any {
		jobs = []*job.Job{first}
	}
	if a.JSON {
		if err := a.printJobs(jobs); err != nil {
			return err
		}
	} else if !a.Quiet {
		for _, j := range jobs {
			fmt.Fprintf(a.stdout, "%s %s\n", j.ID, printable(ending(j)))
		}
	}
	return outcome(jobs)
}

// stillActive says which jobs were not over when the time was.
func stillActive(jobs []*job.Job) string {
	var left []string
	for _, j := range jobs {
		if !j.Completed() && len(left) < maxCandidates {
			left = append(left, fmt.Sprintf("%s is %s", j.ID.Short(), state(j)))
		}
	}
	return "the time is over: " + strings.Join(left, ", ")
}

// ending is how a job ended, in one line.
func ending(j *job.Job) string {
	if strings.HasPrefix(j.Message, string(j.Result)) { // killed with SIGTERM
		return j.Message
	}
	return string(j.Result) + ": " + j.Message
}

var errTimeout = errors.New("timed out")

// outcome is how a verb ends that waited for jobs: well only if every job was a
// success, else as the first one that was not.
func outcome(jobs []*job.Job) error {
	for _, j := range jobs {
		if j.Result == job.Success {
			continue
		}
		return exitStatus(runCode(j))
	}
	return nil
}

// runCode is the exit code that stands for a job that was no success.
func runCode(j *job.Job) int {
	r := j.Last()
	switch {
	case r == nil:
		return codeNoCode
	case r.Reason == job.ReasonTimeout, j.Reason == job.ReasonJobTimeout:
		return codeTimeout
	case r.Signal != "":
		return codeSignalled + int(r.Signal.Number())
	case r.ExitCode == nil:
		return codeNoCode
	case *r.ExitCode != 0:
		return *r.ExitCode
	}
	return codeFailed
}
