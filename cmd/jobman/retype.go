package main

import (
	"fmt"
	"slices"
	"strings"

	"jobman/job"
	"jobman/store"
)

// A line to try is the whole line that was typed, with what was meant in its place.

// longestHint bounds such a line: a longer one is of no help.
const longestHint = 200

// retyped is the command line with another text in the place of a word of it, or of two
// words with a blank between. A word is also what stands behind = or before : or = in
// one; "" where it is not found, or the line is too long.
func (w words) retyped(was, is string) string {
	argv := slices.Clone(w.argv)
	for i, arg := range argv {
		switch before, after, found := strings.Cut(arg, was); {
		case found && (before == "" || strings.HasSuffix(before, "=")) && (after == "" || after[0] == ':' || after[0] == '='):
			argv[i] = before + is + after
		case i+1 < len(argv) && arg+" "+argv[i+1] == was:
			argv = slices.Replace(argv, i, i+2, is)
		default:
			continue
		}
		if line := "jobman " + quote(job.Texts(argv)); len(line) <= longestHint {
			return line
		}
		break
	}
	return ""
}

// manyNames bounds in how many completed jobs a name is looked for that a word may be a
// misspelling of: the newest.
const manyNames = 1000

// notFound tells that a word names no job, and which line was meant perhaps.
func (a *app) notFound(word string) error {
	p := &problem{kind: "not-found", text: fmt.Sprintf("no job is named %q, and no id begins with it", word), hint: "jobman list --all"}
	if word == "" {
		p.text = "an empty word names no job"
		return p
	}
	jobs, err := a.store.Query(a.ctx, store.Filter{Limit: manyNames, Brief: true})
	if err != nil {
		return err
	}
	names := make([]string, len(jobs))
	for i, j := range jobs {
		names[i] = j.Spec.Name
	}
	near := nearest(word, names)
	if near == "" {
		return p
	}
	if line := a.words.retyped(word, near); line != "" {
		return p.try("%s", line)
	}
	return p.try("jobman show %s", quote([]job.Text{job.Text(near)}))
}
