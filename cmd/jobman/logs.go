package main

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"jobman/job"
	"jobman/journal"
	"jobman/store"
)

type logsCmd struct {
	Jobs    []string `arg:"" optional:"" name:"job" help:"Jobs, by id, name or beginning of the id."`
	Group   []string `placeholder:"GROUP" sep:"none" help:"All jobs of this group, with -f also those that are submitted meanwhile; repeatable."`
	Run_    string   `name:"run" default:"-1" placeholder:"N" help:"The run: a number, from the last backwards if negative (default: -1), or all."`
	Follow  bool     `short:"f" help:"Go on, through later runs, until the jobs complete."`
	Lines   int      `short:"n" default:"-1" placeholder:"N" help:"Only the last N lines of each job, of whatever runs are shown (default: -1, all). With -f: of what there is; 0: only what is new."`
	Streams string   `default:"stdout,stderr" placeholder:"LIST" help:"Which streams: stdout, stderr or both (default: stdout,stderr)."`
	Raw     bool     `help:"Print byte for byte what the program wrote; of several jobs line by line."`
	Since   string   `placeholder:"TIME" help:"Only what is not older: 2026-11-23T08:00:00Z, 2026-11-23 08:00, 08:00 (the last), yesterday 08:00, @1795420800, or a duration before now such as 10m."`
}

// Help implements kong's hook for the text below the summary.
func (*logsCmd) Help() string {
	return `Lines of several jobs are merged by time, or with -f printed as they come, each behind the name of its job.

Examples:
  jobman logs backup                    the output of the last run
  jobman logs -f -n 10 backup           the last ten lines, and what follows
  jobman logs --group etl -f            of all jobs of a group, until they complete
  jobman logs backup --run all --since 1h`
}

// share is what is printed of one job.
type share struct {
	job    *job.Job
	member bool  // of a group, and not named
	runs   []int // ascending
	first  int   // how many lines of the first of runs, see journal.ReadOptions
	label  string
	color  string
}

// tail is how many of its last lines are printed of a run.
func (s *share) tail(run int) int {
	if len(s.runs) > 0 && run == s.runs[0] {
		return s.first
	}
	return journal.All
}

// Run prints the output of jobs.
func (l *logsCmd) Run(a *app) error {
	opt, err := l.options()
	if err != nil {
		return err
	}
	if err := a.open(); err != nil {
		return err
	}
	shares, err := l.shares(a, opt)
	if err != nil {
		return err
	}
	several := len(shares) > 1 || len(l.Group) > 0
	opt.Join = opt.Join || several
	p := newPrinter(a, l.Raw, several)
	p.name(shares)
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt)
	go func() { // whoever reads may keep us from printing, so nothing is waited for
		<-interrupt
		os.Exit(codeDetached)
	}()
	if l.Follow {
		err = l.follow(a, shares, opt, p)
	} else {
		err = l.read(a, shares, opt, p)
	}
	if ferr := p.flush(); err == nil {
		err = ferr
	}
	if errors.Is(err, syscall.EPIPE) {
		return nil // whoever read has gone
	}
	return readProblem(err)
}

func (l *logsCmd) options() (journal.ReadOptions, error) {
	opt := journal.ReadOptions{Tail: l.Lines, Join: !l.Raw}
	if len(l.Jobs) == 0 && len(l.Group) == 0 {
		return opt, usage("logs of what? name jobs, or give --group").try("jobman list")
	}
	if l.Lines < -1 {
		return opt, usage("--lines %d: give a number of lines, or -1 for all", l.Lines)
	}
	if n, err := strconv.Atoi(l.Run_); l.Run_ != "all" && (err != nil || n == 0) {
		return opt, usage("--run %q: give a run's number from 1, -1 for the last, or all", l.Run_)
	}
	var err error
	if opt.Streams, err = journal.ParseStreams(l.Streams); err != nil {
		return opt, usage("--streams: %v", err)
	}
	if l.Since != "" {
		if opt.Since, err = job.ParseTime(l.Since, time.Now()); err != nil {
			return opt, usage("--since: %v", err)
		}
	}
	return opt, nil
}

// shares finds out what is to be printed, before anything is.
func (l *logsCmd) shares(a *app, opt journal.ReadOptions) ([]*share, error) {
	loaded := -1
	if l.Run_ == "-1" {
		loaded = 1
	}
	jobs, err := a.resolve(l.Jobs, newest, loaded)
	if err != nil {
		return nil, err
	}
	var shares []*share
	for _, j := range jobs {
		runs, err := l.runs(j)
		if err != nil {
			return nil, err
		}
		shares = append(shares, &share{job: j, runs: runs})
	}
	if len(l.Group) > 0 {
		members, err := a.store.Query(a.ctx, store.Filter{Groups: l.Group, Runs: loaded})
		if err != nil {
			return nil, err
		}
		if len(members) == 0 {
			return nil, &problem{kind: "not-found", text: "no job is in the group " + strings.Join(l.Group, " or "), hint: "jobman list --all"}
		}
		slices.Reverse(members) // oldest first, as they came
		for _, j := range members {
			runs, err := l.runs(j)
			if err == nil && !contains(jobs, j.ID) { // else it has no such run
				shares = append(shares, &share{job: j, member: true, runs: runs})
			}
		}
	}
	if err := l.withOutput(a, shares); err != nil {
		return nil, err
	}
	for _, s := range shares {
		a.noteSilence(s)
		if err := s.cut(a, opt); err != nil {
			return nil, err
		}
	}
	return shares, nil
}

// noteSilence says why nothing is printed of a job where there can be nothing.
func (a *app) noteSilence(s *share) {
	j := s.job
	switch {
	case j.RunCount == 0 && j.Completed():
		a.note("%s has no run: %s", j.ID.Short(), ending(j))
	case j.RunCount == 0:
		a.note("%s has no run yet", j.ID.Short())
	}
	for _, n := range s.runs {
		if r := j.Run(n); r != nil && r.Reason == job.ReasonStartFailed {
			a.note("run %d of %s was never executed: %s", n, j.ID.Short(), r.Message)
		}
	}
}

// runs are the numbers that --run means; with -f later ones too.
func (l *logsCmd) runs(j *job.Job) (numbers []int, err error) {
	first := 1
	if l.Run_ != "all" && (j.RunCount > 0 || l.Run_ != "-1") {
		n, err := strconv.Atoi(l.Run_)
		if err != nil {
			return nil, err
		}
		r, err := pickRun(j, n)
		if err != nil {
			return nil, err
		}
		if first = r.N; !l.Follow {
			return []int{first}, nil
		}
	}
	for n := first; n <= j.RunCount; n++ {
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// cut leaves the runs that the last lines are of.
func (s *share) cut(a *app, opt journal.ReadOptions) error {
	s.first = opt.Tail
	for i, left := len(s.runs)-1, opt.Tail; i > 0 && left != journal.All; i-- {
		n, err := countLines(a.output(s.job, s.runs[i]), left, opt.Streams)
		if err != nil {
			return readProblem(err)
		}
		if n == left {
			s.runs, s.first = s.runs[i:], left
			return nil
		}
		left -= n
		s.first = left
	}
	return nil
}

// countLines counts the last lines of a run, up to a number.
func countLines(o output, most int, streams journal.Streams) (n int, err error) {
	if most == 0 {
		return 0, nil
	}
	r, err := o.open(journal.ReadOptions{Tail: most, Streams: streams, Join: true})
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return n, eachLine(r, func(journal.Line) error {
		n++
		return nil
	})
}

// readProblem explains why output can't be read.
func readProblem(err error) error {
	switch {
	case errors.Is(err, journal.ErrNoTimestamps):
		return &problem{kind: "state", text: "--since: " + err.Error()}
	case errors.Is(err, journal.ErrUnreadable):
		return &problem{kind: "store", text: "read the output: " + err.Error(), hint: "sudo usermod -aG systemd-journal $USER"}
	case errors.Is(err, fs.ErrPermission):
		return &problem{kind: "store", text: "read the output: " + err.Error()}
	}
	return err
}

// tellLoss says on stderr what of a run's output could not be kept.
func (a *app) tellLoss(j *job.Job, run int) error {
	untold, _ := a.untold.LoadAndDelete(job.Ref{ID: j.ID, Run: run})
	if tell, ok := untold.(func() error); ok {
		return tell()
	}
	loss, err := journal.Lost(a.tree.Run(job.Ref{ID: j.ID, Run: run}).Logs())
	if err != nil {
		return err
	}
	if n := loss.Total(); n > 0 {
		a.note("run %d of %s lost at most %d bytes of its output between %s and %s",
			run, j.ID.Short(), n, moment(loss.First), moment(loss.Last))
	}
	return nil
}

// tellDeleted says on stderr where rotation has deleted what would have been shown.
// Whoever asks for what is new, by --since, knows nothing of the beginning.
func (a *app) tellDeleted(j *job.Job, run int, since time.Time) func(first, last int) {
	if !since.IsZero() {
		return nil
	}
	return func(first, last int) {
		a.note("run %d of %s: rotation has deleted its output from log.%d to log.%d", run, j.ID.Short(), first, last)
	}
}
