package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
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
	done   int      // lines
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
	progress := func(int, int) {}
	if !isTerminal(os.Stdout) { // else the ids show it
		progress = s.progress("lines submitted")
		defer func() { progress(s.done, s.done) }()
	}
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
		s.done += len(batch)
		progress(s.done, 0)
	}
	return nil
}

// badLine is a line that makes no job.
type badLine struct {
	n   int
	err error
}

// readAll makes jobs of lines, and returns them with the lines' numbers, and the bad
// lines.
func (s *submitter) readAll(lines []numbered) (jobs []engine.Submission, numbers []int, bad []badLine) {
	for _, line := range lines {
		if j, err := s.read(line); err != nil {
			bad = append(bad, badLine{line.n, err})
		} else {
			jobs, numbers = append(jobs, *j), append(numbers, line.n)
		}
	}
	return jobs, numbers, bad
}

// allOrNothing submits all lines in one transaction, if none is bad.
func (s *submitter) allOrNothing(in io.Reader) error {
	lines := make(chan numbered, fromAtOnce)
	go readLines(in, lines)
	var all []numbered
	for line := range lines {
		all = append(all, line)
	}
	jobs, numbers, bad := s.readAll(all)
	if len(bad) > 0 {
		s.reportBefore(bad, math.MaxInt)
		return nil
	}
	return s.submit(jobs, numbers, nil)
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

// reportBefore tells of the bad lines before a line, and returns the others.
func (s *submitter) reportBefore(bad []badLine, n int) []badLine {
	for len(bad) > 0 && bad[0].n < n {
		s.report(bad[0].n, bad[0].err)
		bad = bad[1:]
	}
	return bad
}

// fromView is a job that a line became, as JSON.
type fromView struct {
	jobView
	Line int `json:"line"`
}

// submit submits jobs, and prints the ids of those that were taken, and what is wrong
// with other lines, in the lines' order.
func (s *submitter) submit(jobs []engine.Submission, numbers []int, bad []badLine) error {
	defer func() { s.reportBefore(bad, math.MaxInt) }()
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
		bad = s.reportBefore(bad, numbers[i])
		var files *engine.FilesError
		if errors.As(err, &files) {
			s.note("line %d: the job is taken, and starts when there is room for it: %v", numbers[i], pathCause(files.Err))
		} else if err != nil {
			s.report(numbers[i], submitError(err))
			continue
		}
		if s.JSON {
			if err := s.printJSON(fromView{s.view(jobs[i].Job, true), numbers[i]}); err != nil {
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
