package main

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"
	"unicode/utf8"

	"jobman/job"
	"jobman/journal"
)

type logsCmd struct {
	Jobs    []string `arg:"" name:"job" help:"Jobs, by id, name or beginning of the id."`
	Run_    string   `name:"run" default:"-1" placeholder:"N" help:"The run: a number, from the last backwards if negative (default: -1), or all."`
	Follow  bool     `short:"f" help:"Go on until the job completes."`
	Lines   int      `short:"n" default:"-1" placeholder:"N" help:"Only the last lines (default: -1, all)."`
	Streams string   `default:"stdout,stderr" placeholder:"LIST" help:"Which streams: stdout, stderr or both (default)."`
	Raw     bool     `help:"Print byte for byte what the program wrote."`
	Since   string   `placeholder:"TIME" help:"Only what is not older: RFC 3339, or a duration before now such as 10m."`
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
	jobs, err := a.resolve(l.Jobs, newest, -1)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(a.stdout, 64<<10)
	for _, j := range jobs {
		if err = l.job(a, j, opt, out); err != nil {
			break
		}
	}
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

func (l *logsCmd) options() (journal.ReadOptions, error) {
	opt := journal.ReadOptions{Tail: l.Lines, Join: !l.Raw}
	if l.Lines < -1 {
		return opt, usage("--lines %d: give a number of lines, or -1 for all", l.Lines)
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

// job prints the output of those of a job's runs that are asked for.
func (l *logsCmd) job(a *app, j *job.Job, opt journal.ReadOptions, out *bufio.Writer) error {
	runs, err := l.runs(j)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		a.note("%s has no run yet", j.ID.Short())
		if l.Follow {
			return l.follow(a, j, 1, opt, out)
		}
	}
	for _, n := range runs {
		emit := l.emitter(a, j, n, out)
		if l.Follow && n == j.RunCount {
			return l.follow(a, j, n, opt, out)
		}
		if err := a.readOutput(j, n, opt, emit); err != nil {
			return readProblem(err)
		}
	}
	return nil
}

// follow prints the output of a run and of those that follow, until the job
// completes.
func (l *logsCmd) follow(a *app, j *job.Job, from int, opt journal.ReadOptions, out *bufio.Writer) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	_, err := a.followRuns(ctx, j, from, func(n int, ended <-chan struct{}) error {
		opt := opt
		if n > from {
			opt.Tail = journal.All
		}
		emit := l.emitter(a, j, n, out)
		return a.followOutput(ctx, j, n, opt, ended, func(line journal.Line) error {
			if err := emit(line); err != nil {
				return err
			}
			return out.Flush()
		})
	})
	return readProblem(err)
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

// runs are the numbers that --run means.
func (l *logsCmd) runs(j *job.Job) ([]int, error) {
	if l.Run_ == "all" {
		numbers := make([]int, 0, len(j.Runs))
		for i := range j.Runs {
			numbers = append(numbers, j.Runs[i].N)
		}
		return numbers, nil
	}
	n, err := strconv.Atoi(l.Run_)
	if err != nil || n == 0 {
		return nil, usage("--run %q: give a run's number from 1, -1 for the last, or all", l.Run_)
	}
	if j.RunCount == 0 && n == -1 {
		return nil, nil
	}
	r, err := pickRun(j, n)
	if err != nil {
		return nil, err
	}
	return []int{r.N}, nil
}

// emitter prints a line the way that was asked for.
func (l *logsCmd) emitter(a *app, j *job.Job, run int, out *bufio.Writer) func(journal.Line) error {
	if a.JSON {
		return func(line journal.Line) error { return a.printLine(j, run, line) }
	}
	color := isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == ""
	var buf []byte
	return func(line journal.Line) error {
		if l.Raw {
			buf = journal.AppendRaw(buf[:0], line)
		} else {
			buf = journal.AppendHuman(buf[:0], line, color)
		}
		_, err := out.Write(buf)
		return err
	}
}

// tellLoss says on stderr what of a run's output could not be kept.
func (a *app) tellLoss(j *job.Job, run int, logs string) error {
	loss, err := journal.Lost(logs)
	if err != nil {
		return err
	}
	if n := loss.Total(); n > 0 {
		a.note("run %d of %s lost at most %d bytes of its output between %s and %s",
			run, j.ID.Short(), n, moment(loss.First), moment(loss.Last))
	}
	return nil
}

// lineView is a line of output as JSON.
type lineView struct {
	Job    job.ID         `json:"job"`
	Run    int            `json:"run"`
	Stream journal.Stream `json:"stream"`
	Time   *stamp         `json:"time"`
	Text   *string        `json:"text,omitempty"`
	Base64 []byte         `json:"base64,omitempty"`
}

// printLine prints a line of output as JSON.
func (a *app) printLine(j *job.Job, run int, line journal.Line) error {
	v := lineView{Job: j.ID, Run: run, Stream: line.Stream, Time: at(line.Time)}
	if text := string(line.Text); utf8.ValidString(text) {
		v.Text = &text
	} else {
		v.Base64 = line.Text
	}
	return a.printJSON(v)
}
