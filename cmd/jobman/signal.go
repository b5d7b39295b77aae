package main

import (
	"fmt"

	"jobman/events"
	"jobman/job"
)

type signalCmd struct {
	Job    string     `arg:"" help:"The job, by id, name or beginning of the id."`
	Signal job.Signal `arg:"" help:"A name, with or without SIG, or a number."`
}

// Help implements kong's hook for the text below the summary.
func (*signalCmd) Help() string {
	return `The run's main process gets the signal, nothing is recorded, and nothing else ends:
see jobman help kill for that.

Examples:
  jobman signal web HUP
  jobman signal web 10`
}

// Run delivers a signal to the command of a job's current run.
func (s *signalCmd) Run(a *app) error {
	if err := a.open(); err != nil {
		return err
	}
	jobs, err := a.resolve([]string{s.Job}, onlyActive, 1)
	if err != nil {
		return err
	}
	if jobs, err = a.Look(a.ctx, jobs); err != nil {
		return err
	}
	j := jobs[0]
	if j.Status() != job.Active {
		return &problem{kind: "state", text: fmt.Sprintf("%s is not running (%s)", j.ID.Short(), state(j))}
	}
	b, err := a.Backend(j.Backend, j.Scope)
	if err != nil {
		return err
	}
	err = b.Signal(a.ctx, j.Ref(), s.Signal)
	a.tree.Run(j.Ref()).Log().Add(events.New(events.Info, "signal", "signal", s.Signal, "error", err))
	if err != nil {
		return fmt.Errorf("signal %s: %w", j.ID.Short(), err)
	}
	if a.JSON {
		return a.printJobs(jobs)
	}
	return nil
}
