package main

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"jobman/job"
	"jobman/store"
)

type listCmd struct {
	All      bool     `help:"All completed jobs, not only the newest."`
	Limit    int      `default:"20" placeholder:"N" help:"How many completed jobs (default: 20)."`
	Status   []string `sep:"," placeholder:"STATUS" help:"Only: pending, running, completed, or active (the first two); repeatable."`
	Result   []string `sep:"," placeholder:"RESULT" help:"Only: success, failure, neutral or killed; repeatable."`
	Group    []string `placeholder:"GROUP" sep:"none" help:"Only jobs of this group; repeatable."`
	Name     []string `placeholder:"GLOB" sep:"none" help:"Only jobs whose name matches (* ? [...]); repeatable."`
	ShowRuns bool     `help:"Show each job's runs."`
}

// Run lists jobs.
func (l *listCmd) Run(a *app) error {
	filter, statuses, err := l.filter()
	if err != nil {
		return err
	}
	if err := a.open(); err != nil {
		return err
	}
	jobs, err := a.store.Query(a.ctx, filter)
	if err != nil {
		return err
	}
	if jobs, err = a.Look(a.ctx, jobs); err != nil {
		return err
	}
	// What was active may turn out to be over, so statuses are held against
	// what was seen.
	jobs = slices.DeleteFunc(jobs, func(j *job.Job) bool {
		return len(statuses) > 0 && !slices.Contains(statuses, j.Status()) ||
			len(filter.Results) > 0 && !slices.Contains(filter.Results, j.Result)
	})
	switch {
	case a.JSON:
		views := make([]jobView, len(jobs))
		for i, j := range jobs {
			views[i] = a.view(j, l.ShowRuns)
		}
		return a.printJSON(views)
	case a.Quiet:
		for _, j := range jobs {
			fmt.Fprintln(a.stdout, j.ID)
		}
		return nil
	}
	a.printTable(jobs, l.ShowRuns)
	return nil
}

func (l *listCmd) filter() (f store.Filter, statuses []job.Status, err error) {
	f = store.Filter{Limit: l.Limit, Groups: l.Group, Globs: l.Name}
	if l.Limit < 1 {
		return f, nil, usage("--limit %d: give a number from 1, or --all", l.Limit)
	}
	if l.All {
		f.Limit = 0
	}
	if l.ShowRuns {
		f.Runs = -1
	}
	for _, glob := range l.Name {
		if _, err := path.Match(glob, ""); err != nil {
			return f, nil, usage("--name %q is no pattern: %v", glob, err)
		}
	}
	for _, s := range l.Status {
		switch status := job.Status(s); status {
		case job.Pending, job.Active:
			statuses, f.Active = append(statuses, status), true
		case job.Completed:
			statuses, f.Done = append(statuses, status), true
		case "active":
			statuses, f.Active = append(statuses, job.Pending, job.Active), true
		default:
			return f, nil, usage("--status %q: give pending, running, completed or active", s)
		}
	}
	f.Results, err = parseResults(l.Result)
	return f, statuses, err
}

// parseResults reads the values of --result.
func parseResults(words []string) (results []job.Result, err error) {
	for _, r := range words {
		switch result := job.Result(r); result {
		case job.Success, job.Failure, job.Neutral, job.Killed:
			results = append(results, result)
		default:
			return nil, usage("--result %q: give success, failure, neutral or killed", r)
		}
	}
	return results, nil
}

// maxName is how much of a name a table shows, in characters.
const maxName = 40

func (a *app) printTable(jobs []*job.Job, runs bool) {
	if len(jobs) == 0 {
		a.note("no jobs")
		return
	}
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.Options{}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	t.AppendHeader(table.Row{"ID", "NAME", "GROUP", "STATE", "CODE", "RUNS", "SUBMITTED", "TOOK"})
	now := time.Now()
	for _, j := range jobs {
		t.AppendRow(table.Row{j.ID.Short(), shorten(j.Spec.Name, maxName), shorten(j.Spec.Group, 20), state(j),
			code(j.Last()), j.RunCount, ago(now, j.SubmittedAt), took(now, j.StartedAt, j.StoppedAt)})
		if !runs {
			continue
		}
		for i := range j.Runs {
			r := &j.Runs[i]
			t.AppendRow(table.Row{"", "  run " + strconv.Itoa(r.N), "", runState(r), code(r), "",
				ago(now, r.StartedAt), took(now, r.StartedAt, r.StoppedAt)})
		}
	}
	for line := range strings.Lines(t.Render()) {
		fmt.Fprintln(a.stdout, strings.TrimRight(line, " \n"))
	}
}

// code is how a run's command ended, in short.
func code(r *job.Run) string {
	switch {
	case r == nil:
		return ""
	case r.Signal != "":
		return string(r.Signal)
	case r.ExitCode != nil:
		return strconv.Itoa(*r.ExitCode)
	case r.Phase == job.Done:
		return string(r.Reason)
	}
	return ""
}

// ago is how long a time is past.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return roughly(now.Sub(t)) + " ago"
}

func took(now, from, to time.Time) string {
	if from.IsZero() {
		return ""
	}
	if to.IsZero() {
		to = now
	}
	return roughly(to.Sub(from))
}

// roughly prints a duration with as much precision as people want.
func roughly(d time.Duration) string {
	switch {
	case d < 0:
		d = 0
		fallthrough
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Minute)
	}
	return job.Duration(d).String()
}
