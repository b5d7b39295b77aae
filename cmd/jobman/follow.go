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
	ended := make(chan struct{})
	var done []*job.Job
	var waitErr error
	go func() {
		defer close(ended)
		done, waitErr = a.await(ctx, []*job.Job{j}, func(*job.Job) bool { return true })
	}()
	print := func(line journal.Line) error {
		out := io.Writer(os.Stdout)
		if line.Stream == journal.Stderr {
			out = os.Stderr
		}
		_, err := out.Write(journal.AppendRaw(nil, line))
		return err
	}
	if a.JSON {
		print = func(line journal.Line) error { return a.printLine(j, 1, line) }
	}
	opt := journal.ReadOptions{Tail: journal.All, Join: a.JSON}
	err := journal.Follow(ctx, a.tree.Run(job.Ref{ID: j.ID, Run: 1}).Logs(), opt, ended, print)
	if errors.Is(err, syscall.EPIPE) {
		return nil // whoever read has gone
	}
	if err == nil {
		<-ended
		err = waitErr
	}
	if errors.Is(context.Cause(ctx), errDetached) {
		if !a.Quiet {
			fmt.Fprintf(a.stderr, "\njobman: detached; the job goes on\ntry: jobman logs -f %s\n", j.ID.Short())
		}
		return exitStatus(codeDetached)
	}
	if err != nil {
		return err
	}
	if last := done[0].Last(); last != nil && last.Reason != job.ReasonExit && !a.Quiet {
		a.note("%s: %s", done[0].Result, done[0].Message)
	}
	return outcome(done)
}

var errDetached = errors.New("detached")
