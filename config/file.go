package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// file is one configuration file.
type file struct {
	name string
	here bool // it was found in the working directory

	settings []Setting
	patterns []pattern // in order

	format string
	text   []byte
	lines  map[string]int // of keys, once they were looked for
}

// pattern is one of [[patterns]].
type pattern struct {
	number string
	match  *regexp.Regexp
}

// maxFile is how many bytes a file may have.
const maxFile = 1 << 20

// read reads the file and takes in what it sets. It returns all that is wrong.
func (f *file) read(schema *Schema, trusted func(string) bool) Problems {
	text, err := os.ReadFile(f.name)
	if err != nil {
		return Problems{{File: f.name, Text: cause(err).Error()}}
	}
	if len(text) > maxFile {
		return Problems{{File: f.name, Text: fmt.Sprintf("it has %d bytes, and at most %d are read", len(text), maxFile)}}
	}
	return f.parse(text, schema, !f.here || trusted != nil && trusted(sum(text)))
}

// parse takes in what the file's text sets.
func (f *file) parse(text []byte, schema *Schema, trusted bool) Problems {
	f.format, f.text = formats[ending(f.name)], text
	if !utf8.Valid(text) {
		return Problems{{File: f.name, Text: "it is not UTF-8"}}
	}
	r := &reader{file: f, schema: schema, format: f.format, untrusted: !trusted}
	raw, err := decode(r.format, text)
	if err != nil {
		line, why := errorLine(text, err)
		return Problems{{File: f.name, Line: line, Text: why}}
	}
	flatten(r.format, nil, raw, r.take, r.complain)
	r.finish()
	return r.problems
}

// Sum is the SHA-256 of a file's content, in hexadecimal digits.
func Sum(name string) (string, error) {
	text, err := os.ReadFile(name)
	return sum(text), err
}

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}

// reader takes in a file's entries.
type reader struct {
	file      *file
	schema    *Schema
	format    string
	untrusted bool
	problems  Problems
}

func (r *reader) complain(path []string, text string) {
	separator := "."
	if r.format == "env" {
		separator = "_"
	}
	key := strings.Join(path, separator)
	r.problems = append(r.problems, Problem{File: r.file.name, Line: r.file.line(path), Key: key, Text: text})
}

// take takes in one entry.
func (r *reader) take(e entry) {
	if slices.ContainsFunc(append([]string{fmt.Sprint(e.value)}, e.path...), func(s string) bool { return !utf8.ValidString(s) }) {
		r.complain(e.path, "it is not UTF-8")
		return
	}
	set, problem := r.place(e.path)
	if problem == "" {
		problem = r.fill(&set, e.value)
	}
	if problem == "" {
		problem = r.forbidden(set)
	}
	if problem == "" && r.untrusted {
		if problem = distrusted(set); problem != "" {
			r.complain(e.path, problem)
			r.problems[len(r.problems)-1].Untrusted = true
			return
		}
	}
	if problem != "" {
		r.complain(e.path, problem)
		return
	}
	set.file, set.Level, set.path = r.file, levels[set.Section], e.path
	if set.Level == LevelBuiltin {
		set.Level = LevelGlobal
	}
	set.Option = canonical(set.Section, set.Option)
	if levels[set.Section] != 0 && set.Option == "retry" {
		r.retry(set)
		return
	}
	r.add(set)
}

// add adds a setting, once.
func (r *reader) add(set Setting) {
	if slices.ContainsFunc(r.file.settings, func(old Setting) bool {
		return old.Section == set.Section && old.Name == set.Name && old.Option == set.Option
	}) {
		r.complain(set.path, fmt.Sprintf("%s is set twice", set.Key()))
		return
	}
	r.file.settings = append(r.file.settings, set)
}

// retry takes in what --retry is short for.
func (r *reader) retry(set Setting) {
	runs, successes, err := Retry(set.Text)
	if err != nil {
		r.complain(set.path, err.Error())
		return
	}
	set.Option, set.Text = "retries.num-runs", runs
	r.add(set)
	set.Option, set.Text = "retries.num-successes", successes
	r.add(set)
}

// Retry is what --retry N is short for: num-runs and num-successes. An empty text
// clears both.
func Retry(text string) (runs, successes string, err error) {
	if text == "" {
		return "", "", nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n >= 1<<31-1 {
		return "", "", fmt.Errorf("retry is %q; give a number from 0", text)
	}
	return strconv.Itoa(n + 1), "1", nil
}

// fill takes in a value.
func (r *reader) fill(set *Setting, value any) (problem string) {
	option := find(r.schema.keys(set.Section), set.Option)
	switch v := value.(type) {
	case string:
		set.Text = v
		if option.List {
			set.List = []string{}
			switch {
			case flat(r.format):
				set.List = SplitList(v)
			case v != "":
				set.List = []string{v}
			}
			if set.Option == keyCommand && len(set.List) == 1 && strings.ContainsAny(v, " \t") && !flat(r.format) {
				return "a command is a list of words, such as [\"sleep\", \"10\"]"
			}
			set.Text = ""
		}
	case []string:
		switch {
		case option.Codes:
			set.Text = strings.Join(v, ",")
		case option.List:
			set.List = v
		default:
			return "it takes one value, not a list"
		}
	}
	return ""
}

// flat tells whether a format has neither tables nor lists.
func flat(format string) bool { return format == "ini" || format == "properties" || format == "env" }

// forbidden tells why a setting can't be made in its place.
func (r *reader) forbidden(set Setting) string {
	option := find(r.schema.keys(set.Section), set.Option)
	switch {
	case option.Once:
		return "it is for the command line only"
	case set.Section == sectionNames && set.Option == "name":
		return "the name is settled before [names] are looked at, so they can't set it"
	case set.Section == sectionGroups && (set.Option == "group" || set.Option == "name"):
		return "name and group are settled before [groups] are looked at, so they can't set them"
	}
	return ""
}

// distrusted tells why a file in the working directory can't make a setting.
func distrusted(set Setting) string {
	switch {
	case levels[set.Section] == 0 || set.Section == sectionSpecs:
		return "a file in the working directory may set options of run only, until it is trusted"
	case set.Option == keyMatch:
		return ""
	case adds(canonical(set.Section, set.Option)), slices.Contains(trustedOnly, set.Option):
		return "a file in the working directory may not set this until it is trusted"
	}
	return ""
}

// trustedOnly are the options, beside notify, that make a command do something else
// than it seems to: a file that came with a cloned repository may not set them.
var trustedOnly = []string{"wait.script", "property", "uid", "gid", "env"}

// finish makes patterns of the sections that say so.
func (r *reader) finish() {
	numbers := map[string]bool{}
	for _, set := range r.file.settings {
		if set.Section != sectionPatterns {
			continue
		}
		if _, told := numbers[set.Name]; !told {
			numbers[set.Name] = false
		}
		if set.Option != keyMatch {
			continue
		}
		numbers[set.Name] = true
		match, err := regexp.Compile(set.Text)
		if err != nil {
			r.complain(set.path, err.Error())
			continue
		}
		r.file.patterns = append(r.file.patterns, pattern{set.Name, match})
	}
	for number, matches := range numbers {
		if !matches && !slices.ContainsFunc(r.problems, func(p Problem) bool { return strings.HasSuffix(p.Key, keyMatch) }) {
			r.complain([]string{sectionPatterns, number}, "it has no match")
		}
	}
	slices.SortFunc(r.file.patterns, func(a, b pattern) int {
		n, _ := strconv.Atoi(a.number) // place has seen to it
		m, _ := strconv.Atoi(b.number)
		return n - m
	})
}
