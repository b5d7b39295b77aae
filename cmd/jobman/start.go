package main

import (
	"fmt"

	"jobman/job"
)

type startCmd struct {
	Jobs []string `arg:"" name:"job" help:"Jobs, by id, name or beginning of the id."`
}

// Help implements kong's hook for the text below the summary.
func (*startCmd) Help() string {
	return `Of a job that waits the first run starts now, whatever its conditions say; of one that
is between two runs the next.

Examples:
  jobman start backup`
}

// Run ends the waiting of jobs.
func (s *startCmd) Run(a *app) error {
	if err := a.open(); err != nil {
		return err
	}
	jobs, err := a.resolve(s.Jobs, onlyActive, 1)
	if err != nil {
		return err
	}
	if jobs, err = a.Look(a.ctx, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := a.Start(a.ctx, j.ID); err != nil {
			return startProblem(j, err)
		}
	}
	if a.JSON {
		for i, j := range jobs {
			if fresh, err := a.store.Get(a.ctx, j.ID, 1); err == nil {
				jobs[i] = fresh
			}
		}
		return a.printJobs(jobs)
	}
	return nil
}

// startProblem explains why there is nothing to start of a job.
func startProblem(j *job.Job, err error) error {
	p := &problem{kind: kindOf(err), text: fmt.Sprintf("start %s: %v", j.ID.Short(), err), err: err}
	switch {
	case p.kind != "state":
	case j.Completed():
		p.text = fmt.Sprintf("start %s: the job waits for nothing, it is over (%s)", j.ID.Short(), j.Result)
		return p.try("jobman rerun %s", j.ID.Short())
	default:
		p.text = fmt.Sprintf("start %s: the job waits for nothing, it is %s", j.ID.Short(), state(j))
	}
	return p
}
