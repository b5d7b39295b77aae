package main

import (
	"fmt"
	"strings"

	"jobman/job"
	"jobman/store"
)

// resolve finds the jobs that words name, all of them before anything is done:
// a full id, else an exact name, else a unique prefix of an id. runs is how
// many of their last runs are loaded.
func (a *app) resolve(words []string, pick choose, runs int) ([]*job.Job, error) {
	jobs := make([]*job.Job, 0, len(words))
	seen := map[job.ID]bool{}
	for _, word := range words {
		j, err := a.lookup(word, pick, runs)
		if err != nil {
			return nil, err
		}
		if !seen[j.ID] {
			jobs, seen[j.ID] = append(jobs, j), true
		}
	}
	return jobs, nil
}

// choose picks one of the jobs that share a name, newest first; nil: several
// could be meant.
type choose func([]*job.Job) *job.Job

func newest(jobs []*job.Job) *job.Job { return jobs[0] }

// onlyActive is for what must not hit the wrong job: the active one, if there
// is just one, else the newest where none is active.
func onlyActive(jobs []*job.Job) *job.Job {
	var active *job.Job
	for _, j := range jobs {
		if j.Completed() {
			continue
		}
		if active != nil {
			return nil
		}
		active = j
	}
	if active == nil {
		return jobs[0]
	}
	return active
}

func (a *app) lookup(word string, pick choose, runs int) (*job.Job, error) {
	if word == "" {
		return nil, a.notFound(word) // most likely a variable that is not set
	}
	lower := strings.ToLower(word)
	if job.IsID(lower) {
		found, err := a.store.Query(a.ctx, store.Filter{ID: job.ID(lower), Runs: runs})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, a.notFound(word)
		}
		return found[0], nil
	}
	named, err := a.store.Query(a.ctx, store.Filter{Name: word, Runs: runs})
	if err != nil {
		return nil, err
	}
	var prefixed []*job.Job
	if job.IsIDPrefix(lower) {
		if prefixed, err = a.store.Query(a.ctx, store.Filter{IDPrefix: lower, Runs: runs}); err != nil {
			return nil, err
		}
	}
	var j *job.Job
	switch {
	case len(named) > 0:
		j = pick(named)
		if len(prefixed) > 0 && (len(prefixed) > 1 || j == nil || prefixed[0].ID != j.ID) {
			return nil, a.ambiguous(word, append(named, prefixed...))
		}
		if j == nil {
			return nil, a.ambiguous(word, named)
		}
	case len(prefixed) == 1:
		j = prefixed[0]
	case len(prefixed) > 1:
		return nil, a.ambiguous(word, prefixed)
	default:
		return nil, a.notFound(word)
	}
	return j, nil
}

// maxCandidates bounds how many jobs an error lists.
const maxCandidates = 10

func (a *app) ambiguous(word string, jobs []*job.Job) error {
	first, err := a.Look(a.ctx, jobs[:min(len(jobs), maxCandidates)])
	if err != nil {
		return err
	}
	var list []string
	for _, j := range first {
		list = append(list, fmt.Sprintf("%s (%s, %s)", j.ID, shorten(j.Spec.Name, 30), state(j)))
	}
	if more := len(jobs) - len(first); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return &problem{kind: "ambiguous", text: fmt.Sprintf("%q could be several jobs: %s", word, strings.Join(list, ", "))}
}

// shorten cuts text for people to at most n characters.
func shorten(s string, n int) string {
	s = printable(s)
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
