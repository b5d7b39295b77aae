package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"jobman/job"
	"jobman/store"
)

type rerunCmd struct {
	jobFlags

	Job string `arg:"" help:"The job, by id, name or beginning of the id. After -- another command for the copy."`
}

// Help implements kong's hook for the text below the summary.
func (*rerunCmd) Help() string {
	return `The copy has the original's options, command, directory and environment; flags
override, and an empty value clears (--wait.abort-datetime=). The configuration
has no say.

Examples:
  jobman rerun backup
  jobman rerun 2e7d1250 --name again --timeout 1h
  jobman rerun backup -- restic check`
}

// Run submits a copy of a job.
func (r *rerunCmd) Run(a *app) error {
	if err := a.open(); err != nil {
		return err
	}
	jobs, err := a.resolve([]string{r.Job}, newest, 1)
	if err != nil {
		return err
	}
	return a.submitCopy(jobs[0], &r.jobFlags)
}

// rerun submits a copy of the job that --rerun-by-name or --rerun-by-id names.
func (r *runCmd) rerun(a *app) error {
	switch {
	case r.RerunByName != "" && r.RerunByID != "":
		return usage("--rerun-by-name and --rerun-by-id contradict each other")
	case r.JobSpec != "":
		return usage("--job-spec and --rerun-by-%s contradict each other", map[bool]string{true: "id", false: "name"}[r.RerunByID != ""])
	}
	if err := a.open(); err != nil {
		return err
	}
	original, err := a.findByID(r.RerunByID)
	if r.RerunByName != "" {
		original, err = a.findStarted(r.RerunByName)
	}
	if err != nil {
		return err
	}
	return a.submitCopy(original, &r.jobFlags)
}

// findByID finds a job by its id or the beginning of it.
func (a *app) findByID(word string) (*job.Job, error) {
	lower := strings.ToLower(word)
	if !job.IsIDPrefix(lower) {
		return nil, &problem{kind: "not-found", text: fmt.Sprintf("%q is no id of a job, nor the beginning of one", word), hint: "jobman list --all"}
	}
	found, err := a.store.Query(a.ctx, store.Filter{IDPrefix: lower})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, a.notFound(word)
	case len(found) > 1:
		return nil, a.ambiguous(word, found)
	}
	return found[0], nil
}

// findStarted finds, of all jobs of a name, the one that was started last; where none
// was, the newest.
func (a *app) findStarted(name string) (*job.Job, error) {
	found, err := a.store.Query(a.ctx, store.Filter{Name: name, Runs: 1})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, a.notFound(name)
	}
	if found, err = a.Look(a.ctx, found); err != nil {
		return nil, err
	}
	last := found[0]
	for _, j := range found {
		if j.StartedAt.After(last.StartedAt) {
			last = j
		}
	}
	return last, nil
}

// submitCopy submits a copy of a job, with what the flags change. asked is what is
// wanted of this call.
func (a *app) submitCopy(original *job.Job, asked *jobFlags) error {
	s, err := a.newSubmitter("rerun-by-name", "rerun-by-id")
	if err != nil {
		return err
	}
	if a.env, err = a.environOf(original); err != nil {
		return err
	}
	text, err := json.Marshal(&original.Spec)
	if err != nil {
		return fmt.Errorf("copy the spec: %w", err)
	}
	l, err := parseSpecLine(text, s.known)
	if err != nil {
		return err
	}
	if command := a.words.command(); len(command) > 0 {
		if _, own := l.options["name"]; own && original.Spec.Name == job.DefaultName(original.Spec.Command) {
			delete(l.options, "name") // it was the command line
		}
		l.command = command
	}
	l.resolved = true // also if an older jobman submitted it
	if err := s.parse(l); err != nil {
		return err
	}
	s.g.Run.Follow, s.g.Run.Unique = asked.Follow, asked.Unique
	return s.g.Run.submit(a)
}

// environOf is the environment of a job's command. The index keeps it while the job
// is active, the job's file for as long as there is the job.
func (a *app) environOf(j *job.Job) ([]byte, error) {
	env, err := os.ReadFile(filepath.Join(a.tree.Job(j.ID), "env"))
	if errors.Is(err, fs.ErrNotExist) {
		env, err = a.store.Env(a.ctx, j.ID)
	}
	if err == nil && env == nil {
		env = []byte{} // empty, not ours
	}
	if err != nil {
		return nil, &problem{kind: "store", text: fmt.Sprintf("read the environment of %s: %v", j.ID.Short(), pathCause(err)), err: err}
	}
	return env, nil
}

var _ kong.HelpProvider = (*rerunCmd)(nil)
