package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"jobman/engine"
	"jobman/job"
)

// A spec's own keys, beside those that are options of `run`.
const (
	keyCommand = "command"
	keyUmask   = "umask"
	keyNice    = "nice"
	keyLimits  = "limits"
)

// fromAtOnce is how many lines become one transaction at most.
const fromAtOnce = 200

// maxLine bounds a line.
const maxLine = 16 << 20

// submitter submits the lines of --from.
type submitter struct {
	*app
	parser *kong.Kong
	g      *runGrammar
	flags  []string       // that were given on the command line
	known  []string       // the options that a line may give
	line   map[string]any // what the resolver answers from
	bad    error          // of the first bad line
}

// runFrom submits a job for each line of a file.
func (r *runCmd) runFrom(a *app) error {
	switch {
	case len(a.words.args) > 0:
		return usage("--from %s and a command contradict each other", r.From)
	case r.Follow:
		return usage("--from and --follow contradict each other")
	case r.Unique:
		return usage("--unique is not for --from")
	}
	in := io.Reader(os.Stdin)
	if r.From != "-" {
		f, err := os.Open(r.From)
		if err != nil {
			return usage("--from: %v", pathCause(err))
		}
		defer f.Close()
		in = f
	}
	if err := a.open(); err != nil {
		return err
	}
	s := &submitter{app: a, g: new(runGrammar)}
	for _, f := range a.words.flags {
		if name, _, _ := strings.Cut(f, "="); name != "--from" && name != "--all-or-nothing" {
			s.flags = append(s.flags, f)
		}
	}
	var err error
	s.parser, err = newParser(s.g, helpWriter{a.stdout, a.stderr}, kong.Resolvers(kong.ResolverFunc(s.answer), resolver(a.settings)))
	if err != nil {
		return err
	}
	for _, node := range s.parser.Model.Children {
		for _, f := range node.Flags {
			if !slices.Contains(notFrom, f.Name) {
				s.known = append(s.known, f.Name)
			}
		}
	}
	if r.AllOrNothing {
		err = s.allOrNothing(in)
	} else {
		err = s.each(in)
	}
	if err != nil {
		return err
	}
	return s.bad
}

// answer is a kong.Resolver for the line at hand.
func (s *submitter) answer(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := s.line[flag.Name]
	if !ok {
		return nil, nil
	}
	return value, nil
}

// numbered is a line with its number, from 1.
type numbered struct {
	n    int
	text []byte
	err  error
}

func readLines(in io.Reader, lines chan<- numbered) {
	defer close(lines)
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 0, 64<<10), maxLine)
	n := 0
	for scan.Scan() {
		n++
		if text := strings.TrimSpace(scan.Text()); text != "" {
			lines <- numbered{n: n, text: []byte(text)}
		}
	}
	if err := scan.Err(); err != nil {
		lines <- numbered{n: n + 1, err: err}
	}
}

// each submits the lines as they come, many at a time if they come fast. What is
// wrong with one stops no other.
func (s *submitter) each(in io.Reader) error {
	lines := make(chan numbered, fromAtOnce)
	go readLines(in, lines)
	for first := range lines {
		batch := []numbered{first}
		for more := true; more && len(batch) < fromAtOnce; {
			select {
			case line, open := <-lines:
				if more = open; open {
					batch = append(batch, line)
				}
			default:
				more = false
			}
		}
		if err := s.submit(s.readAll(batch)); err != nil {
			return err
		}
	}
	return nil
}

// readAll makes jobs of lines, and returns them with the lines' numbers. It tells of
// the bad ones.
func (s *submitter) readAll(lines []numbered) (jobs []engine.Submission, numbers []int) {
	for _, line := range lines {
		if j, err := s.read(line); err != nil {
			s.report(line.n, err)
		} else {
			jobs, numbers = append(jobs, *j), append(numbers, line.n)
		}
	}
	return jobs, numbers
}

// allOrNothing submits all lines in one transaction, if none is bad.
func (s *submitter) allOrNothing(in io.Reader) error {
	lines := make(chan numbered, fromAtOnce)
	go readLines(in, lines)
	var all []numbered
	for line := range lines {
		all = append(all, line)
	}
	jobs, numbers := s.readAll(all)
	if s.bad != nil {
		return nil
	}
	return s.submit(jobs, numbers)
}

// report tells of a bad line; the first one decides the exit code.
func (s *submitter) report(n int, err error) {
	p, code := classify(err)
	told := *p
	told.text = fmt.Sprintf("line %d: %s", n, p.text)
	if s.bad == nil {
		s.bad = exitStatus(code)
	}
	report(s.stderr, &told, s.JSON)
}

// submit submits jobs, and prints the ids of those that were taken.
func (s *submitter) submit(jobs []engine.Submission, numbers []int) error {
	if len(jobs) == 0 {
		return nil
	}
	told, err := s.tellReaper()
	if err != nil {
		return err
	}
	errs, err := s.SubmitAll(s.ctx, jobs)
	told()
	if err != nil {
		return submitError(err)
	}
	for i, err := range errs {
		var files *engine.FilesError
		if errors.As(err, &files) {
			s.note("line %d: the job is taken, and starts when there is room for it: %v", numbers[i], pathCause(files.Err))
		} else if err != nil {
			s.report(numbers[i], submitError(err))
			continue
		}
		if s.JSON {
			if err := s.printJSON(s.view(jobs[i].Job, true)); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintln(s.stdout, jobs[i].Job.ID); err != nil {
			return nil // run tells it
		}
	}
	return nil
}

// read makes a job of a line.
func (s *submitter) read(line numbered) (*engine.Submission, error) {
	if line.err != nil {
		return nil, usage("%v", line.err)
	}
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(string(line.text)))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return nil, usage("it is no JSON object: %v", err)
	}
	if d.More() {
		return nil, usage("it is more than one JSON object")
	}
	own := struct {
		Command []job.Text           `json:"command"`
		Umask   *job.Umask           `json:"umask"`
		Nice    *int                 `json:"nice"`
		Limits  map[string]job.Limit `json:"limits"`
	}{}
	if err := json.Unmarshal(line.text, &own); err != nil {
		return nil, usage("%v", err)
	}
	s.line = map[string]any{}
	if err := s.flatten("", object); err != nil {
		return nil, err
	}
	if _, err := s.parser.Parse(append([]string{"run"}, s.flags...)); err != nil {
		return nil, usage("%s", strings.TrimSuffix(err.Error(), "\n"))
	}
	r := &s.g.Run
	if len(own.Command) == 0 {
		return nil, usage("there is no command")
	}
	j, env, err := r.job(s.app, job.Strings(own.Command))
	if err != nil {
		return nil, err
	}
	if own.Umask != nil {
		j.Spec.Umask = *own.Umask
	}
	if own.Nice != nil {
		j.Spec.Nice = *own.Nice
	}
	maps.Copy(j.Spec.Limits, own.Limits)
	return &engine.Submission{Job: j, Env: env}, nil
}

// flatten takes in the keys of an object, with dots between those of objects
// within it, and refuses those that are no options.
func (s *submitter) flatten(prefix string, object map[string]any) error {
	for key, value := range object {
		name := prefix + key
		if inner, ok := value.(map[string]any); ok && !isText(inner) && name != keyLimits {
			if err := s.flatten(name+".", inner); err != nil {
				return err
			}
			continue
		}
		switch name {
		case keyCommand, keyUmask, keyNice, keyLimits:
			continue
		}
		if !slices.Contains(s.known, name) {
			p := usage("%q is no option of run", name)
			if near := nearest(name, s.known); near != "" {
				p.text += fmt.Sprintf("; %q is", near)
			}
			return p
		}
		plain, err := plainValue(value)
		if err != nil {
			return usage("%s: %v", name, err)
		}
		if plain != nil {
			s.line[name] = plain
		}
	}
	return nil
}

// isText tells whether an object is a string of arbitrary bytes, see job.Text.
func isText(object map[string]any) bool {
	_, ok := object["base64"].(string)
	return ok && len(object) == 1
}

// plainValue is a value as flags have it: a string, or a list of strings; nil for
// what says nothing.
func plainValue(value any) (any, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		var t job.Text
		err = json.Unmarshal(b, &t)
		return string(t), err
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			plain, err := plainValue(item)
			if err != nil {
				return nil, err
			}
			if _, ok := plain.(string); !ok {
				return nil, errors.New("it is a list of something else than strings")
			}
			list[i] = plain
		}
		return list, nil
	}
	return nil, fmt.Errorf("%v is no value", value)
}

// notFrom are the options of `run` that a line can't give.
var notFrom = []string{"from", "all-or-nothing", "follow", "unique", "help"}
