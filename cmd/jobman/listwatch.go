package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/term"

	"jobman/job"
)

const (
	watchEvery = time.Second            // a table is drawn anew also if nothing was written: times go on
	watchPause = 100 * time.Millisecond // after a change, so that many at once are one
)

// watch prints what is listed again and again, until it is interrupted: on a terminal
// the table, elsewhere what has changed.
func (l *listCmd) watch(a *app, list func() ([]*job.Job, error), show func(*job.Job, time.Time) error) error {
	ctx, stop := signal.NotifyContext(a.ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	changes := a.storeChanges(ctx)
	draw := (&changeList{app: a, runs: l.ShowRuns, show: show}).print
	if show == nil && !a.JSON && !a.Quiet && os.Getenv("TERM") != "dumb" && isTerminal(os.Stdout) {
		s := &live{app: a, runs: l.ShowRuns}
		defer s.leave()
		draw = s.draw
	}
	for {
		jobs, err := list()
		if err != nil {
			return err
		}
		if err := draw(jobs); err != nil {
			return err
		}
		select {
		case <-changes:
			select {
			case <-time.After(watchPause):
			case <-ctx.Done():
			}
		case <-time.After(watchEvery):
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return exitStatus(codeDetached)
		}
	}
}

// storeChanges says when something was written to the index. Where the system can't
// tell, the seconds must do.
func (a *app) storeChanges(ctx context.Context) <-chan struct{} {
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		a.debug(err)
		return nil
	}
	if err := watch.Add(a.tree.Index()); err != nil {
		a.debug(err) // there is no store yet
	}
	return a.changes(ctx, watch, func(fsnotify.Event) bool { return true })
}

// changeList prints jobs that are other than before, one a line.
type changeList struct {
	app  *app
	runs bool
	show func(*job.Job, time.Time) error // nil: as JSON
	seen map[job.ID]string
}

func (c *changeList) print(jobs []*job.Job) error {
	now := time.Now()
	seen := make(map[job.ID]string, len(jobs))
	for i := len(jobs) - 1; i >= 0; i-- { // oldest first, as they came
		j := jobs[i]
		view := c.app.view(j, c.runs)
		line, err := json.Marshal(view)
		if err != nil {
			return err
		}
		still := view
		still.HeartbeatAt, still.Runs = nil, nil // that it lives is no change
		key, err := json.Marshal(still)
		if err != nil {
			return err
		}
		if seen[j.ID] = string(key); c.seen[j.ID] == string(key) {
			continue
		}
		if err := c.printOne(j, line, now); err != nil {
			return err
		}
	}
	c.seen = seen
	return nil
}

func (c *changeList) printOne(j *job.Job, line []byte, now time.Time) error {
	switch {
	case c.show != nil:
		return c.show(j, now)
	case c.app.Quiet && !c.app.JSON:
		_, err := fmt.Fprintln(c.app.stdout, j.ID)
		return err
	}
	_, err := fmt.Fprintf(c.app.stdout, "%s\n", line)
	return err
}

// live is a table that is drawn in place, on the terminal's other screen. What was
// there before comes back at the end, and the last table below it.
type live struct {
	app   *app
	runs  bool
	begun bool
	last  []*job.Job
}

func (s *live) draw(jobs []*job.Job) error {
	s.last = jobs
	var b bytes.Buffer
	if !s.begun {
		b.WriteString("\x1b[?1049h\x1b[?25l")
		s.begun = true
	}
	var table bytes.Buffer
	s.app.tableOf(jobs, s.runs).print(&table, width(), painter())
	lines := strings.Split(strings.TrimSuffix(table.String(), "\n"), "\n")
	if len(jobs) == 0 {
		lines = []string{"no jobs"}
	}
	if _, height, err := term.GetSize(int(os.Stdout.Fd())); err == nil && height > 2 && len(lines) > height-1 {
		more := len(lines) - (height - 2)
		lines = append(lines[:height-2], fmt.Sprintf("... and %d more", more))
	}
	b.WriteString("\x1b[H")
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\r\n")
	}
	b.WriteString("\x1b[J")
	_, err := s.app.stdout.Write(b.Bytes())
	return err
}

func (s *live) leave() {
	if s.begun {
		fmt.Fprint(s.app.stdout, "\x1b[?25h\x1b[?1049l")
		s.app.printTable(s.last, s.runs)
	}
}
