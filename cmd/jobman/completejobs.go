package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"jobman/job"
	"jobman/store"
	"jobman/store/bolt"
)

// offered is how many of the newest jobs, incomplete and completed ones, are looked
// at. Whoever means an older one types some of its id.
const offered = 250

// idGiven is from how many characters on ids are looked up among all.
const idGiven = 3

// completingFor is how long the store may take, say because it is being written.
const completingFor = 2 * time.Second

// openTyped opens the store that the line means, and does nothing for jobs there.
func (a *app) openTyped(t *typed) error {
	if a.store != nil {
		return nil
	}
	db := expandHome(t.flags["db"])
	if set, ok := a.settings.Find("", "db"); ok && db == "" {
		db = set.Text
	}
	dir, err := storeDir(db)
	if err != nil {
		return err
	}
	s, err := bolt.Open(dir, bolt.Options{})
	if err != nil {
		return err
	}
	a.store = classifying{s}
	return nil
}

// typedJobs are the newest jobs that meet a filter, in brief.
func (a *app) typedJobs(t *typed, f store.Filter) []*job.Job {
	if a.openTyped(t) != nil {
		return nil
	}
	f.Brief, f.Newest = true, offered
	ctx, cancel := context.WithTimeout(a.ctx, completingFor)
	defer cancel()
	jobs, err := a.store.Query(ctx, f)
	if err != nil {
		return nil // there is nothing to offer
	}
	return jobs
}

// jobWords are words for jobs: names, then ids with names.
func (a *app) jobWords(t *typed, last string, f store.Filter) []candidate {
	jobs := a.typedJobs(t, f)
	all := namesOf(jobs)
	if lower := strings.ToLower(last); len(last) >= idGiven && strings.Trim(lower, "0123456789abcdef-") == "" {
		f.IDPrefix = last
		jobs = append(jobs, a.typedJobs(t, f)...)
	}
	seen := map[job.ID]bool{}
	for _, j := range jobs {
		if seen[j.ID] || slices.Contains(t.args, j.ID.Short()) {
			continue
		}
		seen[j.ID] = true
		id := j.ID.Short()
		if len(last) > len(id) {
			id = string(j.ID)
		}
		all = append(all, candidate{id, j.Spec.Name + " (" + inAWord(j) + ")"})
	}
	return all
}

// jobNames are the names of jobs.
func (a *app) jobNames(t *typed, f store.Filter) []candidate { return namesOf(a.typedJobs(t, f)) }

// inAWord is a job's state in a word.
func inAWord(j *job.Job) string {
	if j.Completed() {
		return string(j.Result)
	}
	return j.Phase.String()
}

// longestName is the longest name that is offered; a longer one is a command line.
const longestName = 100

func namesOf(jobs []*job.Job) (all []candidate) {
	seen := map[string]bool{}
	for _, j := range jobs {
		if name := j.Spec.Name; !seen[name] && len(name) <= longestName {
			seen[name] = true
			all = append(all, candidate{name, inAWord(j) + ", " + j.ID.Short()})
		}
	}
	return all
}

// groups are those of the newest jobs and of the configuration.
func (a *app) groups(t *typed) (all []candidate) {
	seen := map[string]bool{"": true}
	for _, name := range a.settings.Names("groups") {
		seen[name] = true
		all = append(all, candidate{name, "in the configuration"})
	}
	for _, j := range a.typedJobs(t, store.Filter{}) {
		if !seen[j.Spec.Group] {
			seen[j.Spec.Group] = true
			all = append(all, candidate{j.Spec.Group, ""})
		}
	}
	return all
}
