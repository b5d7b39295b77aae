package main

import (
	"context"
	"fmt"
	"strings"

	"jobman/job"
	"jobman/journal"
)

// lossy is what a run can't have whose sink is journald alone.
const lossy = "no empty lines, no blanks at the end of a line, and not what is above journald's rate limit"

// sinkOf is where a run's output goes, also of one that was intended just now. That is
// decided with the intention, so a job that has the run knows.
func (a *app) sinkOf(ctx context.Context, j *job.Job, n int) (job.Sink, error) {
	if r := j.Run(n); r != nil {
		return r.Sink, nil
	}
	for _, runs := range []int{1, -1} { // mostly it is the last
		j, err := a.store.Get(ctx, j.ID, runs)
		if err != nil {
			return "", err
		}
		if r := j.Run(n); r != nil {
			return r.Sink, nil
		}
	}
	return "", nil
}

// identify returns what the lines of a run are called in the journal, "" if it was
// not executed (yet), and whether it is over.
func (a *app) identify(id job.ID, n int) (identifier string, over bool, err error) {
	run := a.tree.Run(job.Ref{ID: id, Run: n})
	exit, err := run.ReadExit()
	if err != nil {
		return "", false, fmt.Errorf("read the exit record: %w", err)
	}
	claim, err := run.ReadClaim()
	if err != nil {
		return "", false, fmt.Errorf("read the claim: %w", err)
	}
	if claim == nil {
		return "", exit != nil, nil
	}
	return claim.Identifier, exit != nil, nil
}

// tellStored says on stderr what is missing of a run whose sink is journald alone.
func (a *app) tellStored(j *job.Job, n int, s *journal.Stored, over bool, streams journal.Streams) error {
	a.lossy.Do(func() { // and not for each of a thousand runs
		a.note("run %d of %s has its output in journald alone: %s", n, j.ID.Short(), lossy)
	})
	suppressed, err := s.Suppressed(a.ctx)
	if err != nil {
		return err
	}
	for _, m := range suppressed {
		a.note("run %d of %s: journald says at %s that it dropped %d messages of %s, above its rate limit", n, j.ID.Short(), moment(m.Time), m.Messages, m.Unit)
	}
	switch {
	case !over:
	case s.Behind:
		a.note("run %d of %s: journald has not taken all of its output yet", n, j.ID.Short())
	case s.Complete(streams):
		if j.Scope == "user" && s.Lines > journal.DefaultBurst && len(suppressed) == 0 {
			a.note("run %d of %s: it can't be told whether journald dropped some of its lines; it may have, of so many", n, j.ID.Short())
		}
	case s.Lines == 0:
		a.note("run %d of %s: nothing of its end is in the journal; journald dropped it, or has deleted it since", n, j.ID.Short())
	default:
		a.note("run %d of %s lost the end of its output: journald was dropping what was above its rate limit", n, j.ID.Short())
	}
	return nil
}

// keeps tells why a job's output can't be kept where it is to be.
func (a *app) keeps(s *job.Spec) error {
	if !s.Log.Stdout && !s.Log.Stderr {
		return nil
	}
	switch found := journal.Probe(); {
	case found.Runs:
	case s.Log.Sink == job.SinkJournal:
		return &problem{kind: "backend", text: "keep the output in journald: " + found.Why, hint: "jobman run --log.sink file ..."}
	case s.Log.Sink == job.SinkBoth:
		a.note("the output is kept in files alone: %s", found.Why)
	}
	return nil
}

// describeOutput tells people where a run's output is, and what is missing there.
func (a *app) describeOutput(f *fields, j *job.Job, r *job.Run) {
	if j.Reaped(r) {
		f.add("  output", "deleted")
		return
	}
	run := a.tree.Run(job.Ref{ID: j.ID, Run: r.N})
	sink := r.Sink
	if sink == "" {
		sink = job.SinkFile
	}
	f.add("  sink", strings.TrimSuffix(string(sink)+": "+r.SinkWhy, ": "))
	if sink == job.SinkJournal {
		if identifier, _, err := a.identify(j.ID, r.N); err == nil && identifier != "" {
			f.add("  output", fmt.Sprintf("journalctl -t %s -t %s",
				journal.StreamIdentifier(identifier, journal.Stdout), journal.StreamIdentifier(identifier, journal.Stderr)))
		}
		f.add("  keeps", lossy)
		return
	}
	f.add("  output", run.Logs())
	if sink == job.SinkBoth {
		f.add("  copy", fmt.Sprintf("journalctl JOBMAN_JOB_ID=%s JOBMAN_RUN=%d", j.ID, r.N))
	}
	missed, err := journal.Uncopied(run.Logs())
	a.debug(err)
	if missed.Lines > 0 {
		f.add("  not copied", fmt.Sprintf("%d lines, between %s and %s; the files have them", missed.Lines, moment(missed.First), moment(missed.Last)))
	}
}

// logOf is the JSON form of that.
func (a *app) logOf(j *job.Job, r *job.Run) logView {
	logs := a.tree.Run(job.Ref{ID: j.ID, Run: r.N}).Logs()
	v := logView{Sink: r.Sink, Why: known(r.SinkWhy), Reaped: j.Reaped(r)}
	if !r.Active() {
		v.Bytes = &r.LogBytes
	}
	switch r.Sink {
	case job.SinkJournal:
		identifier, _, err := a.identify(j.ID, r.N)
		a.debug(err)
		v.Identifier = known(identifier)
		return v
	case "":
		v.Sink = job.SinkFile
	}
	if v.Reaped {
		return v
	}
	v.Path = known(job.Text(logs))
	if r.Sink == job.SinkBoth {
		missed, err := journal.Uncopied(logs)
		a.debug(err)
		v.Uncopied = &missed.Lines
	}
	return v
}
