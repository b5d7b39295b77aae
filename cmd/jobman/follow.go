package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"jobman/job"
	"jobman/journal"
)

// followRun prints what the job prints, stdout to stdout and stderr to stderr,
// until it completes, and ends with its code. Whatever ends jobman itself
// detaches: the job goes on.
func (a *app) followRun(j *job.Job) error {
	ctx, cancel := context.WithCancelCause(a.ctx)
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		cancel(errDetached)
	}()
	print := func(line journal.Line) error {
		out := io.Writer(os.Stdout)
		if line.Stream == journal.Stderr {
			out = os.Stderr
		}
		_, err := out.Write(journal.AppendRaw(nil, line))
		return err
	}
	opt := journal.ReadOptions{Tail: journal.All, Join: a.JSON}
	done, err := a.followRuns(ctx, j, 1, func(n int, ended <-chan struct{}) error {
		show := print
		if a.JSON {
			show = func(line journal.Line) error { return a.printJSON(viewLine(j.ID, n, line)) }
		}
		return a.output(j, n).follow(ctx, opt, ended, show)
	})
	if errors.Is(err, syscall.EPIPE) {
		return nil // whoever read has gone
	}
	if errors.Is(context.Cause(ctx), errDetached) {
		if !a.Quiet {
			fmt.Fprintf(a.stderr, "\njobman: detached; the job goes on\ntry: jobman logs -f %s\n", j.ID.Short())
		}
		return exitStatus(codeDetached)
	}
	if err != nil {
		return readProblem(err)
	}
	// What the code that follows says by itself needs no words.
	if r := done.Last(); done.Reason != job.ReasonExit || done.Result != job.Success && r != nil && r.Result != done.Result {
		a.note("%s", ending(done))
	}
	return outcome([]*job.Job{done})
}

// followRuns calls read for the runs of a job from a number on, each as it begins,
// until the job completes; ended is closed when that run has ended.
func (a *app) followRuns(ctx context.Context, j *job.Job, from int, read func(n int, ended <-chan struct{}) error) (*job.Job, error) {
	for n := from; ; n++ {
		// What is known to be so is not asked for again: of a job with very many runs
		// each look takes long.
		now := j
		if j.RunCount < n {
			var err error
			if now, err = a.awaitOne(ctx, j, func(j *job.Job) bool { return j.RunCount >= n }); err != nil || now.RunCount < n {
				return now, err
			}
		}
		ended := make(chan struct{})
		var waitErr error
		if runOver(n)(now) {
			close(ended)
		} else {
			go func() {
				defer close(ended)
				j, waitErr = a.awaitOne(ctx, now, runOver(n))
			}()
		}
		if err := read(n, ended); err != nil {
			return now, err
		}
		if <-ended; waitErr != nil {
			return now, waitErr
		}
	}
}

var errDetached = errors.New("detached")
