package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"jobman/job"
	"jobman/store"
)

type cleanCmd struct {
	Jobs      []string      `arg:"" optional:"" name:"job" help:"Completed jobs, by id, name or beginning of the id."`
	Logs      bool          `help:"Delete their output only."`
	OlderThan *job.Duration `placeholder:"D" help:"Jobs that completed longer ago than this."`
	Keep      *int          `placeholder:"N" help:"All but the N newest (of those of --group and --result)."`
	Result    []string      `placeholder:"RESULT" help:"Jobs with this result: success, failure, neutral or killed; repeatable."`
	Group     []string      `placeholder:"GROUP" sep:"none" help:"Jobs of this group; repeatable."`
	All       bool          `help:"All completed jobs."`
	DryRun    bool          `help:"Only print what would be deleted."`
}

// Help implements kong's hook for the text below the summary.
func (*cleanCmd) Help() string {
	return `Deletes completed jobs that meet all that is given, and prints each with the
bytes that this frees. Active jobs, and those that others wait for, are kept.

Examples:
  jobman clean --older-than 30d --keep 100
  jobman clean --group etl --result success --dry-run
  jobman clean --logs --older-than 1w   keeps the records`
}

// Run deletes completed jobs, or their output.
func (c *cleanCmd) Run(a *app) error {
	rules, err := c.rules(time.Now())
	if err != nil {
		return err
	}
	if err := a.open(); err != nil {
		return err
	}
	jobs, err := c.candidates(a, rules)
	if err != nil {
		return err
	}
	chosen := rules.Choose(jobs)
	w := cleaner{app: a, logs: c.Logs, cleaned: cleaned{Jobs: []cleanedView{}, Kept: []keptView{}, DryRun: c.DryRun}}
	if !c.Logs {
		if chosen, err = w.keepAwaited(chosen); err != nil {
			return err
		}
	}
	err = w.clean(chosen)
	return errors.Join(err, w.tell())
}

func (c *cleanCmd) rules(now time.Time) (r job.Cleaning, err error) {
	r.Groups = c.Group
	if r.Results, err = parseResults(c.Result); err != nil {
		return r, err
	}
	if c.OlderThan != nil {
		r.Before = now.Add(-time.Duration(*c.OlderThan))
	}
	if c.Keep != nil {
		if r.Keep = *c.Keep; r.Keep < 0 {
			return r, usage("--keep %d: give a number from 0", r.Keep)
		}
	}
	if len(c.Jobs) == 0 && len(c.Group) == 0 && len(c.Result) == 0 && c.OlderThan == nil && c.Keep == nil && !c.All {
		return r, usage("clean what? name jobs, or give --older-than, --keep, --result, --group or --all").try("jobman clean --all --dry-run")
	}
	return r, nil
}

// candidates are the jobs to choose from, newest first. Those that are named must be
// completed.
func (c *cleanCmd) candidates(a *app, rules job.Cleaning) ([]*job.Job, error) {
	if len(c.Jobs) == 0 {
		return a.store.Query(a.ctx, store.Filter{Done: true, Groups: rules.Groups, Results: rules.Results, Brief: !a.JSON})
	}
	jobs, err := a.resolve(c.Jobs, newest, 1)
	if err != nil {
		return nil, err
	}
	var active []string
	for i, j := range jobs {
		if j.Completed() {
			continue
		}
		// It may be over, and not recorded yet.
		if err := a.Step(a.ctx, j.ID); err != nil {
			return nil, err
		}
		if jobs[i], err = a.store.Get(a.ctx, j.ID, 1); err != nil {
			return nil, err
		}
		if !jobs[i].Completed() {
			active = append(active, j.ID.Short())
		}
	}
	if len(active) > 0 {
		return nil, (&problem{kind: "state", text: fmt.Sprintf("%s is active; nothing was deleted", strings.Join(active, ", "))}).
			try("jobman kill %s", strings.Join(active, " "))
	}
	slices.SortStableFunc(jobs, func(a, b *job.Job) int { return b.SubmittedAt.Compare(a.SubmittedAt) })
	return jobs, nil
}
