package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jobman/job"
)

type waitCmd struct {
	Jobs    []string      `arg:"" name:"job" help:"Jobs, by id, name or beginning of the id."`
	Any     bool          `help:"Return when one of them completes."`
	Timeout *job.Duration `placeholder:"D" help:"Give up after this long, with code 124; the jobs go on."`
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
			fmt.Fprintf(a.stdout, "%s %s: %s\n", j.ID, j.Result, printable(j.Message))
		}
	}
	return outcome(jobs)
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
