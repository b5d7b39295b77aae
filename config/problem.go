package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"jobman/job"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	File string
	Line int // from 1; 0 if unknown
	Key  string
	Text string

	Untrusted bool // it is none once the file is trusted
}

func (p Problem) place() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return p.File
}

func (p Problem) Error() string {
	text := p.Text
	if p.Key != "" {
		text = p.Key + ": " + text
	}
	if p.File == "" {
		return text
	}
	return p.place() + ": " + text
}

// Problems are all that is wrong.
type Problems []Problem

func (p Problems) Error() string {
	text := p[0].Error()
	if len(p) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(p)-1)
	}
	return text
}

// Sort puts problems in the order of files, as they first come, and of lines.
func (p Problems) Sort() {
	first := map[string]int{}
	for i, problem := range p {
		if _, told := first[problem.File]; !told {
			first[problem.File] = i
		}
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(first[a.File]-first[b.File], a.Line-b.Line)
	})
}

// nearest is the name that a word is a misspelling of, or "". The last part of a
// dotted name counts most: who writes run.max-bytes means log.file.max-bytes.
func nearest(word string, names []string) string {
	best, least := "", max(3, len(word)/3)
	for _, name := range names {
		d := job.Distance(word, name)
		if last := name[strings.LastIndexByte(name, '.')+1:]; last == word || strings.HasSuffix(name, "."+word) {
			d = min(d, 1)
		}
		if d < least && d < len(name) {
			best, least = name, d
		}
	}
	return best
}

func names(options []Option) []string {
	all := make([]string, len(options))
	for i, o := range options {
		all[i] = o.Name
	}
	return all
}
