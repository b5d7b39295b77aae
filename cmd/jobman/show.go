package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"jobman/job"
	"jobman/units"
)

type showCmd struct {
	Job    string `arg:"" help:"The job, by id, name or beginning of the id."`
	Runs   string `default:"100" placeholder:"N|all" help:"How many of its last runs to show (default: 100)."`
	Events bool   `help:"Show what jobman did, step by step, instead; from --log-level on (default: info)."`
}

type showRunCmd struct {
	Job string `arg:"" help:"The job, by id, name or beginning of the id."`
	N   int    `arg:"" optional:"" default:"-1" help:"The run's number; from the last backwards if negative (default: -1)."`
}

// Help implements kong's hook for the text below the summary.
func (*showCmd) Help() string {
	return `Shows what was asked for, what it waits for and what each condition's last check found,
what happens next and when, its runs, and where their output is.

Examples:
  jobman show backup
  jobman show backup --runs all
  jobman show backup --events     what jobman did, step by step
  jobman show backup --json
  jobman show run backup -1       its last run`
}

// Run shows a job.
func (s *showCmd) Run(a *app) error {
	runs := -1
	if s.Runs != "all" {
		n, err := strconv.Atoi(s.Runs)
		if err != nil || n < 1 {
			return usage("--runs %q: give a number from 1, or all", s.Runs)
		}
		runs = n
	}
	j, err := a.lookAt(s.Job, runs)
	if err != nil {
		return err
	}
	if s.Events {
		return a.showEvents(j)
	}
	told, err := a.deliveries(j)
	if err != nil {
		return err
	}
	if a.JSON {
		v := a.view(j, true)
		v.Deliveries = deliveryViews(told)
		return a.printJSON(v)
	}
	a.printJob(j, told)
	return nil
}

// Help implements kong's hook for the text below the summary.
func (*showRunCmd) Help() string {
	return `Examples:
  jobman show run backup          the last run
  jobman show run backup 1        the first
  jobman show run backup -2       the last but one`
}

// Run shows a run.
func (s *showRunCmd) Run(a *app) error {
	j, err := a.lookAt(s.Job, -1)
	if err != nil {
		return err
	}
	r, err := pickRun(j, s.N)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(a.runView(j, r))
	}
	f := fields{w: a.stdout}
	f.add("job", string(j.ID))
	a.printRun(&f, j, r)
	return nil
}

// lookAt finds a job and returns it as it is now.
func (a *app) lookAt(word string, runs int) (*job.Job, error) {
	if err := a.open(); err != nil {
		return nil, err
	}
	jobs, err := a.resolve([]string{word}, newest, runs)
	if err != nil {
		return nil, err
	}
	if jobs, err = a.Look(a.ctx, jobs); err != nil {
		return nil, err
	}
	return jobs[0], nil
}

// pickRun finds a run by its number; negative ones count from the last.
func pickRun(j *job.Job, n int) (*job.Run, error) {
	wanted := n
	if n < 0 {
		wanted = j.RunCount + 1 + n
	}
	if r := j.Run(wanted); r != nil {
		return r, nil
	}
	p := &problem{kind: "not-found", text: fmt.Sprintf("%s has no run %d; its runs are 1 to %d", j.ID.Short(), n, j.RunCount)}
	switch {
	case j.RunCount == 0 && j.Completed():
		p.text = fmt.Sprintf("%s has no run: %s", j.ID.Short(), ending(j))
	case j.RunCount == 0:
		p.text = fmt.Sprintf("%s has no run yet", j.ID.Short())
	}
	return nil, p.try("jobman show %s", j.ID.Short())
}

// fewRuns are shown in full each; of more there is a table, and the last one in full.
const fewRuns = 3

// tableOfRuns is the table of a job's loaded runs.
func (a *app) tableOfRuns(j *job.Job) *grid {
	g := &grid{columns: []column{
		{name: "RUN"}, {name: "STATE"}, {name: "CODE", drop: 5}, {name: "STARTED", drop: 4}, {name: "TOOK", drop: 3},
		{name: "CPU", drop: 2, spare: true}, {name: "MEMORY", drop: 1, spare: true}, {name: "WHY", least: 12},
	}}
	now := time.Now()
	for i := range j.Runs {
		r := &j.Runs[i]
		cpu, memory := "", ""
		if r.CPUSeconds != nil {
			cpu = fmt.Sprintf("%.2fs", *r.CPUSeconds)
		}
		if r.MemoryPeak != nil {
			memory = bytesText(*r.MemoryPeak)
		}
		g.rows = append(g.rows, []string{strconv.Itoa(r.N), runState(r), code(r), ago(now, r.StartedAt),
			took(now, r.StartedAt, r.StoppedAt), cpu, memory, printable(r.Message)})
	}
	return g
}

// describeCounts is how many runs there were, and what they were.
func describeCounts(j *job.Job) string {
	text := strconv.Itoa(j.RunCount)
	if j.RunCount < 2 {
		return text
	}
	text += fmt.Sprintf(" (%d success, %d failure)", j.SuccessCount, j.FailureCount)
	if shown := len(j.Runs); shown < j.RunCount {
		text += fmt.Sprintf("; the last %d are shown, --runs all shows all", shown)
	}
	return text
}

// fields prints names and values, one a line.
type fields struct{ w io.Writer }

func (f *fields) add(name, value string) {
	if value != "" {
		fmt.Fprintf(f.w, "%-12s %s\n", name+":", printable(value))
	}
}

// state adds a state, in colour where there are colours.
func (f *fields) state(name, value string) {
	if value != "" && colorful() {
		value = paintState("STATE", value)
	}
	fmt.Fprintf(f.w, "%-12s %s\n", name+":", value)
}

func (a *app) printJob(j *job.Job, told []job.Delivery) {
	f := fields{w: a.stdout}
	f.add("job", string(j.ID))
	f.add("name", j.Spec.Name)
	f.add("group", j.Spec.Group)
	f.add("command", quote(j.Spec.Command))
	f.add("directory", string(j.Spec.Chdir))
	f.state("state", state(j))
	f.add("why", j.Message)
	f.add("submitted", moment(j.SubmittedAt))
	f.add("started", moment(j.StartedAt))
	f.add("stopped", moment(j.StoppedAt))
	a.printWait(&f, j, time.Now())
	f.add("repeats", describeRetries(&j.Spec.Retries))
	if t := j.Spec.Timeout; t.Run > 0 || t.Job > 0 {
		var parts []string
		if t.Run > 0 {
			parts = append(parts, fmt.Sprintf("%s a run", t.Run))
		}
		if t.Job > 0 {
			parts = append(parts, fmt.Sprintf("%s in all", t.Job))
		}
		f.add("at most", strings.Join(parts, ", "))
	}
	for _, p := range j.Spec.Property {
		f.add("property", p)
	}
	if j.Spec.UID != "" || j.Spec.GID != "" {
		f.add("user", strings.Trim(j.Spec.UID+":"+j.Spec.GID, ":"))
	}
	if j.Backend == "systemd" {
		f.add("slice", units.SliceName(j.Spec.Group))
	}
	f.add("stop", fmt.Sprintf("SIG%s, and SIGKILL after %s", j.Spec.StopSignal, j.Spec.StopGrace))
	f.add("backend", fmt.Sprintf("%s, %s scope, on %s", j.Backend, j.Scope, j.Host))
	printDeliveries(&f, j, told, time.Now())
	f.add("runs", describeCounts(j))
	first := 0
	if len(j.Runs) > fewRuns {
		fmt.Fprintln(a.stdout)
		a.tableOfRuns(j).print(a.stdout, width(), painter())
		first = len(j.Runs) - 1
	}
	for i := first; i < len(j.Runs); i++ {
		fmt.Fprintln(a.stdout)
		a.printRun(&f, j, &j.Runs[i])
	}
}

func (a *app) printRun(f *fields, j *job.Job, r *job.Run) {
	f.add("run", strconv.Itoa(r.N))
	f.state("  state", runState(r))
	f.add("  why", r.Message)
	f.add("  started", moment(r.StartedAt))
	f.add("  stopped", moment(r.StoppedAt))
	if r.Active() && r.PID != 0 {
		f.add("  pid", strconv.Itoa(r.PID))
	}
	f.add("  unit", unitName(j, r))
	f.add("  used", used(r))
	a.describeOutput(f, j, r)
	if !r.Active() {
		f.add("  printed", bytesText(r.LogBytes))
	}
}

func used(r *job.Run) string {
	var parts []string
	if r.CPUSeconds != nil {
		parts = append(parts, fmt.Sprintf("%.3f s of CPU time", *r.CPUSeconds))
	}
	if r.MemoryPeak != nil {
		parts = append(parts, "at most "+bytesText(*r.MemoryPeak)+" of memory")
	}
	return strings.Join(parts, ", ")
}

func bytesText(n int64) string {
	f, unit := float64(n), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f < 1024 {
			break
		}
		f, unit = f/1024, u
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// state is where a job stands, for people.
func state(j *job.Job) string {
	if j.Completed() {
		return string(j.Result)
	}
	return j.Phase.String()
}

func runState(r *job.Run) string {
	if r.Phase == job.Done {
		return string(r.Result)
	}
	return r.Phase.String()
}

// moment is a time for people, in local time.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05.000 -0700")
}

// quote shows a command so that it can be told where its words end, and typed.
func quote(words []job.Text) string {
	var out []string
	for _, w := range job.Strings(words) {
		plain := w != "" && strings.IndexFunc(w, func(c rune) bool {
			return !strings.ContainsRune("%+,-./:=@_^", c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c < 0x80
		}) < 0
		if !plain {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}
