package main

import "fmt"

type startCmd struct {
	Jobs []string `arg:"" name:"job" help:"Jobs, by id, name or beginning of the id."`
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
			return &problem{kind: kindOf(err), text: fmt.Sprintf("start %s, which is %s: %v", j.ID.Short(), state(j), err), err: err}
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
