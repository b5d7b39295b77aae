package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"jobman/job"
	"jobman/store"
)

type killFlags struct {
	Signal job.Signal `placeholder:"SIG" help:"Send this instead of the job's stop signal (default: --stop-signal of run, TERM)."`
	Now    bool       `help:"Send SIGKILL at once; the command can't clean up."`
	NoWait bool       `help:"Return when the kill is durable, not when the job is over."`
}

type killCmd struct {
	Jobs  []string `arg:"" optional:"" name:"job" help:"Jobs, by id, name or beginning of the id."`
	Group []string `placeholder:"GROUP" sep:"none" help:"All active jobs of this group; repeatable."`
	All   bool     `help:"All active jobs."`
	killFlags
}

type killRunCmd struct {
	Job string `arg:"" help:"The job, by id, name or beginning of the id."`
	N   int    `arg:"" optional:"" default:"-1" help:"The run's number; from the last backwards if negative (default: -1)."`
	killFlags
}

// Help implements kong's hook for the text below the summary.
func (*killCmd) Help() string {
	return `No further run starts, and the whole process tree of the one under way gets the stop
signal, then SIGKILL after the grace (--stop-grace of run). Returns when the jobs are
over. A name means the only active job of that name. What is completed already is left
as it is.

Examples:
  jobman kill backup
  jobman kill 2e7d 81c0 --signal INT
  jobman kill --group etl
  jobman kill --all --now
  jobman kill run backup          the run only; the job may run again`
}

// Help implements kong's hook for the text below the summary.
func (*killRunCmd) Help() string {
	return `The run is "killed", and counts as a failure; then the job's policy decides.

Examples:
  jobman kill run backup
  jobman kill run backup 3 --now`
}

func (f *killFlags) signal() (job.Signal, error) {
	if f.Now && f.Signal != "" {
		return "", usage("--now and --signal contradict each other")
	}
	if f.Now {
		return "KILL", nil
	}
	return f.Signal, nil
}

// Run ends jobs.
func (k *killCmd) Run(a *app) error {
	sig, err := k.signal()
	if err != nil {
		return err
	}
	if slices.Contains(k.Group, "") {
		return usage("--group: an empty word names no group")
	}
	if len(k.Jobs) == 0 && len(k.Group) == 0 && !k.All {
		return usage("kill what? name jobs, or give --group or --all").try("jobman list")
	}
	if err := a.open(); err != nil {
		return err
	}
	jobs, err := a.resolve(k.Jobs, onlyActive, 1)
	if err != nil {
		return err
	}
	if len(k.Group) > 0 || k.All {
		f := store.Filter{Active: true, Groups: k.Group}
		if k.All {
			f.Groups = nil
		}
		more, err := a.store.Query(a.ctx, f)
		if err != nil {
			return err
		}
		jobs = append(jobs, more...)
	}
	if len(jobs) == 0 {
		a.note("%s", k.nothing())
	}
	if jobs, err = a.Look(a.ctx, jobs); err != nil {
		return err
	}
	var errs []error
	var left []*job.Job
	for _, j := range jobs {
		if j.Completed() {
			a.note("%s is completed already (%s)", j.ID.Short(), j.Result)
			continue
		}
		left = append(left, j)
		errs = append(errs, a.Kill(a.ctx, j.ID, 0, sig))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return k.finish(a, jobs, left, (*job.Job).Completed)
}

// nothing says what of there was nothing to kill.
func (k *killCmd) nothing() string {
	if k.All {
		return "no job is active"
	}
	return "no job is active in the group " + strings.Join(k.Group, " or ")
}

// finish waits for the end and tells of it.
func (f *killFlags) finish(a *app, all, left []*job.Job, over func(*job.Job) bool) error {
	now := all
	if !f.NoWait && len(left) > 0 {
		done, err := a.awaitUntil(a.ctx, left, over, func(*job.Job) bool { return true })
		if err != nil {
			return err
		}
		now = replace(all, done)
	}
	if a.JSON {
		return a.printJobs(now)
	}
	if a.Quiet {
		return nil
	}
	for _, j := range now {
		if contains(left, j.ID) {
			fmt.Fprintf(a.stdout, "%s %s\n", j.ID, state(j))
		}
	}
	return nil
}

func contains(jobs []*job.Job, id job.ID) bool {
	for _, j := range jobs {
		if j.ID == id {
			return true
		}
	}
	return false
}

// replace returns the jobs, newer where there is a newer one.
func replace(jobs, newer []*job.Job) []*job.Job {
	out := append([]*job.Job(nil), jobs...)
	for i, j := range out {
		for _, n := range newer {
			if n.ID == j.ID {
				out[i] = n
			}
		}
	}
	return out
}

// Run ends a run.
func (k *killRunCmd) Run(a *app) error {
	sig, err := k.signal()
	if err != nil {
		return err
	}
	if err := a.open(); err != nil {
		return err
	}
	jobs, err := a.resolve([]string{k.Job}, onlyActive, -1)
	if err != nil {
		return err
	}
	if jobs, err = a.Look(a.ctx, jobs); err != nil {
		return err
	}
	j := jobs[0]
	r, err := pickRun(j, k.N)
	if err != nil {
		return err
	}
	if !r.Active() {
		return &problem{kind: "state", text: fmt.Sprintf("run %d of %s is over (%s)", r.N, j.ID.Short(), r.Result)}
	}
	if err := a.Kill(a.ctx, j.ID, r.N, sig); err != nil {
		return err
	}
	return k.finish(a, jobs, jobs, func(j *job.Job) bool { return j.Completed() || runOver(r.N)(j) })
}
