package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"jobman/engine"
)

// fromAtOnce is how many lines become one transaction at most.
const fromAtOnce = 200

// maxLine bounds a line.
const maxLine = 16 << 20

// submitter submits jobs that JSON says.
type submitter struct {
	*app
	parser *kong.Kong
	g      *runGrammar
	flags  []string // that were given on the command line, and hold for all
	known  []string // the options that a line may give
	bad    error    // of the first bad line
}

// newSubmitter makes one; drop are the flags that say that it is to be one.
func (a *app) newSubmitter(drop ...string) (_ *submitter, err error) {
	s := &submitter{app: a, g: new(runGrammar)}
	for _, f := range a.words.flags {
		if name, _, _ := strings.Cut(strings.TrimPrefix(f, "--"), "="); !slices.Contains(drop, name) {
			s.flags = append(s.flags, f)
		}
	}
	s.parser, err = newParser(s.g, helpWriter{a.stdout, a.stderr}, kong.Resolvers(kong.ResolverFunc(a.answer)))
	if err != nil {
		return nil, err
	}
	for _, node := range s.parser.Model.Children {
		for _, f := range node.Flags {
			if !slices.Contains(notFrom, f.Name) {
				s.known = append(s.known, f.Name)
			}
		}
	}
	return s, nil
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
	s, err := a.newSubmitter("from", "all-or-nothing")
	if err != nil {
		return err
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
	l, err := parseSpecLine(line.text, s.known)
	if err != nil {
		return nil, err
	}
	if err := s.parse(l); err != nil {
		return nil, err
	}
	return s.job()
}

// parse takes in a line, with what the flags and the configuration say.
func (s *submitter) parse(l *specLine) error {
	s.line = l
	if err := s.settle(); err != nil {
		return err
	}
	if _, err := s.parser.Parse(append([]string{verbRun}, s.flags...)); err != nil {
		return explain(err, s.words)
	}
	return nil
}

// job makes a job of what was parsed.
func (s *submitter) job() (*engine.Submission, error) {
	j, env, err := s.g.Run.job(s.app)
	if err != nil {
		return nil, err
	}
	return &engine.Submission{Job: j, Env: env}, nil
}
