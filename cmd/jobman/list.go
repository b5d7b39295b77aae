package main

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"time"

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
	Watch    bool     `short:"w" help:"Go on, and show what changes, until Ctrl-C."`
	Format   string   `placeholder:"TEMPLATE" help:"Print a line for each job by this template, such as '{{.id}} {{.state}}'."`
}

// Help implements kong's hook for the text below the summary.
func (*listCmd) Help() string {
	return `Jobs are newest first; NEXT is when a job goes on, and what it waits for. A filter
that is repeated takes either, different filters must all hold. With --watch the table
is kept up to date until Ctrl-C; where stdout is no terminal, or with --json, each job is
printed as a line of JSON, and again whenever it changes.

A template is one of Go's text/template over the keys of list --json, and state and next,
as in the table; {{json .KEY}} prints a value as JSON, and \t is a tab.

Examples:
  jobman list --status active
  jobman list --group etl --result failure --result killed
  jobman list --watch
  jobman list --format '{{.id}} {{.state}} {{.exit_code}}'
  jobman list -q --name 'nightly*'        ids alone, for other commands`
}

// Run lists jobs.
func (l *listCmd) Run(a *app) error {
	filter, statuses, err := l.filter()
	if err != nil {
		return err
	}
	var show func(*job.Job, time.Time) error
	if l.Format != "" {
		f, err := a.newFormatter(l.Format, l.ShowRuns)
		if err != nil {
			return err
		}
		show = f.print
	}
	if err := a.open(); err != nil {
		return err
	}
	list := func() ([]*job.Job, error) { return l.list(a, filter, statuses) }
	if l.Watch {
		return l.watch(a, list, show)
	}
	jobs, err := list()
	if err != nil {
		return err
	}
	switch {
	case show != nil:
		now := time.Now()
		for _, j := range jobs {
			if err := show(j, now); err != nil {
				return err
			}
		}
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
	default:
		a.printTable(jobs, l.ShowRuns)
	}
	return nil
}

// list returns the jobs as they are now.
func (l *listCmd) list(a *app, filter store.Filter, statuses []job.Status) ([]*job.Job, error) {
	jobs, err := a.store.Query(a.ctx, filter)
	if err != nil {
		return nil, err
	}
	if jobs, err = a.Look(a.ctx, jobs); err != nil {
		return nil, err
	}
	// What was active may turn out to be over, so statuses are held against
	// what was seen.
	return slices.DeleteFunc(jobs, func(j *job.Job) bool {
		return len(statuses) > 0 && !slices.Contains(statuses, j.Status()) ||
			len(filter.Results) > 0 && !slices.Contains(filter.Results, j.Result)
	}), nil
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

// How much of a name is shown, in characters. A table on a terminal cuts it further if
// it must; for programs a given name is whole.
const (
	maxName      = 40
	maxNamePiped = 200
)

func (a *app) printTable(jobs []*job.Job, runs bool) {
	if len(jobs) == 0 {
		a.note("no jobs")
		return
	}
	a.tableOf(jobs, runs).print(a.stdout, width(), painter())
}

// tableOf is the table of jobs.
func (a *app) tableOf(jobs []*job.Job, runs bool) *grid {
	g := &grid{columns: []column{
		{name: "ID"}, {name: "NAME", least: 12}, {name: "GROUP", least: 8, drop: 3, spare: true}, {name: "STATE"},
		{name: "CODE", drop: 5}, {name: "RUNS", drop: 2}, {name: "SUBMITTED", drop: 4}, {name: "TOOK", drop: 1},
		{name: "NEXT", least: 15, spare: true},
	}}
	most := maxName
	if width() == 0 {
		most = maxNamePiped
	}
	now := time.Now()
	for _, j := range jobs {
		g.rows = append(g.rows, []string{
			j.ID.Short(), shorten(j.Spec.Name, most), shorten(j.Spec.Group, most), state(j), code(j.Last()),
			strconv.Itoa(j.RunCount), ago(now, j.SubmittedAt), took(now, j.StartedAt, j.StoppedAt), shorten(nextShort(j, now), most),
		})
		if !runs {
			continue
		}
		for i := range j.Runs {
			r := &j.Runs[i]
			g.rows = append(g.rows, []string{
				"", "  run " + strconv.Itoa(r.N), "", runState(r), code(r), "",
				ago(now, r.StartedAt), took(now, r.StartedAt, r.StoppedAt), "",
			})
		}
	}
	return g
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
	const day = 24 * time.Hour
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
	case d < day:
		d = d.Round(time.Minute)
	case d < 4*7*day:
		d = d.Round(time.Hour)
	case d < 2*365*day:
		return fmt.Sprintf("%dd", d.Round(day)/day)
	default:
		return fmt.Sprintf("%d years", d/(365*day))
	}
	return job.Duration(d).String()
}
