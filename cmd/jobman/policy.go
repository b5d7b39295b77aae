package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jobman/job"
	"jobman/units"
)

// waitFlags are what a job waits for.
type waitFlags struct {
	Datetime      moment_       `placeholder:"TIME" help:"Don't run before this time: 2026-11-23 08:00, 08:00 (the next), tomorrow 08:00, +10m, @unix, RFC 3339."`
	Timedelta     *job.Duration `placeholder:"D" help:"Don't run before this long after now."`
	File          []string      `sep:"none" placeholder:"GLOB" help:"Don't run before this file is there; repeatable."`
	NonopenFile   []string      `sep:"none" placeholder:"GLOB" help:"Nor before it is open in no process; repeatable."`
	Script        []string      `sep:"none" placeholder:"PATH" help:"Don't run before this executable ends with 0; repeatable."`
	HTTP          []string      `name:"http" sep:"none" placeholder:"URL" help:"Don't run before this URL answers with 2xx; repeatable."`
	S3            []string      `name:"s3" sep:"none" placeholder:"URL" help:"Don't run before s3://bucket[/key-or-prefix/] is there; repeatable."`
	Job           []string      `sep:"none" placeholder:"JOB[:success|failure|any]" help:"Don't run before this job has completed so (default: success); repeatable."`
	Any           bool          `negatable:"" help:"One of the conditions is enough."`
	PollInterval  job.Duration  `default:"60s" placeholder:"D" help:"How long after a check of nonopen-file, script, http and s3 the next (default: 60s)."`
	ExtraDelay    job.Duration  `default:"0s" placeholder:"D" help:"Run this long after the conditions were met."`
	AbortDatetime moment_       `placeholder:"TIME" help:"Fail if no run has started by then."`
}

// retryFlags are the policy of repeating.
type retryFlags struct {
	NumRuns       *int         `placeholder:"N" help:"Run that often, also after success; -1: no limit (default: 1, if no other limit is set)."`
	NumSuccesses  int          `default:"-1" placeholder:"N" help:"Run until that many runs were successes; -1: no limit (default)."`
	NumFailures   int          `default:"-1" placeholder:"N" help:"Run until that many runs were failures; -1: no limit (default)."`
	AbortDatetime moment_      `placeholder:"TIME" help:"Start no run after this time."`
	SuccessCodes  job.Codes    `default:"0" placeholder:"CODES" help:"Exit codes that are a success, such as 0,10-19 (default: 0)."`
	FailureCodes  job.Codes    `placeholder:"CODES" help:"Exit codes that are a failure; others are neutral (default: all that are no success)."`
	Delay         job.Duration `default:"0s" placeholder:"D" help:"How long after a run the next starts."`
	JitterRange   job.Duration `default:"0s" placeholder:"D" help:"Make the delay longer or shorter at random, by at most half of this."`
	BackoffBase   float64      `name:"exponential-backoff-base" default:"1" placeholder:"B" help:"Multiply the delay by this after each run (default: 1)."`
	MaxDelay      job.MaxDelay `default:"-1" placeholder:"D" help:"Delay no longer than this; -1: no limit (default)."`
}

// limitFlags are what else decides about a job's runs.
type limitFlags struct {
	Retry      *int          `placeholder:"N" help:"Run again after a failure, at most N times: num-runs N+1, num-successes 1."`
	Timeout    *job.Duration `placeholder:"D" help:"Short for --timeout.run."`
	TimeoutRun *job.Duration `name:"timeout.run" placeholder:"D" help:"End a run that takes longer, and call it a failure."`
	TimeoutJob *job.Duration `name:"timeout.job" placeholder:"D" help:"End the job this long after the start of its first run."`
	OnReboot   string        `enum:"fail,rerun" default:"fail" placeholder:"fail|rerun" help:"What a run that a reboot ended is: a failure (default), or nothing, and a new one starts."`
	Property   []string      `short:"p" sep:"none" placeholder:"KEY=VALUE" help:"Set a property of the systemd unit, such as MemoryMax=1G or CPUQuota=50%; repeatable."`
	UID        string        `name:"uid" placeholder:"USER" help:"Run as this user (system scope)."`
	GID        string        `name:"gid" placeholder:"GROUP" help:"Run as this group (system scope)."`
}

// moment_ is a time to come; zero where none was given.
type moment_ struct{ time.Time }

func parseMoment(s string) (moment_, error) {
	if s == "" {
		return moment_{}, nil
	}
	t, err := job.ParseMoment(s, time.Now())
	return moment_{t.UTC()}, err
}

// policy fills in the parts of a spec that say when the command runs, and how
// often.
func (r *runCmd) policy(a *app, s *job.Spec) (err error) {
	if s.Wait, err = r.Wait.wait(a); err != nil {
		return err
	}
	if s.Retries, err = r.retries(); err != nil {
		return err
	}
	if s.Timeout, err = r.timeout(); err != nil {
		return err
	}
	if r.OnReboot != string(job.OnRebootFail) {
		s.OnReboot = job.OnReboot(r.OnReboot)
	}
	for _, p := range r.Property {
		nice, isNice, err := units.Nice(p)
		if err == nil && !isNice {
			_, err = units.ParseProperty(p)
		}
		if err != nil {
			return usage("--property %v", err)
		}
		if isNice {
			s.Nice = nice
			continue
		}
		s.Property = append(s.Property, p)
	}
	return nil
}

func (w *waitFlags) wait(a *app) (job.Wait, error) {
	now := time.Now()
	out := job.Wait{
		Datetime: w.Datetime.Time, Timedelta: w.Timedelta, HTTP: w.HTTP, S3: w.S3, Any: w.Any,
		ExtraDelay: w.ExtraDelay, AbortDatetime: w.AbortDatetime.Time,
	}
	if !w.AbortDatetime.IsZero() && !now.Before(w.AbortDatetime.Time) {
		return out, usage("--wait.abort-datetime %s is past", moment(w.AbortDatetime.Time))
	}
	for _, list := range []struct {
		name  string
		given []string
		to    *[]job.Text
	}{{"file", w.File, &out.File}, {"nonopen-file", w.NonopenFile, &out.NonopenFile}, {"script", w.Script, &out.Script}} {
		for _, path := range list.given {
			abs, err := absolute(path)
			if err != nil {
				return out, usage("--wait.%s %q: %v", list.name, path, err)
			}
			if list.name != "script" {
				if _, err := filepath.Match(abs, ""); err != nil {
					return out, usage("--wait.%s %q is no pattern: %v", list.name, path, err)
				}
			}
			*list.to = append(*list.to, job.Text(abs))
		}
	}
	for _, script := range out.Script {
		info, err := os.Stat(string(script))
		switch {
		case errors.Is(err, os.ErrNotExist):
			a.note("--wait.script %s is not there yet", script)
		case err == nil && (info.IsDir() || info.Mode()&0o111 == 0):
			a.note("--wait.script %s can't be executed yet", script)
		}
	}
	for _, target := range w.HTTP {
		if u, err := url.Parse(target); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return out, usage("--wait.http %q is no URL; write it like https://example.org/ready", target)
		}
	}
	for _, target := range w.S3 {
		if bucket, ok := strings.CutPrefix(target, "s3://"); !ok || bucket == "" || bucket[0] == '/' {
			return out, usage("--wait.s3 %q is none; write s3://bucket, s3://bucket/key or s3://bucket/prefix/", target)
		}
	}
	if len(w.NonopenFile)+len(w.Script)+len(w.HTTP)+len(w.S3) > 0 {
		if w.PollInterval <= 0 {
			return out, usage("--wait.poll-interval must be longer than nothing")
		}
		out.PollInterval = w.PollInterval
	}
	for _, word := range w.Job {
		target, err := a.awaited(word)
		if err != nil {
			return out, err
		}
		out.Job = append(out.Job, target)
	}
	return out, nil
}

// absolute makes a path absolute, and knows ~/, which shells leave alone after =.
func absolute(path string) (string, error) {
	if path == "" {
		return "", errors.New("an empty path names nothing")
	}
	if strings.ContainsRune(path, 0) {
		return "", errors.New("it contains a NUL byte")
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := homeDir()
		if err != nil {
			return "", err
		}
		return filepath.Join(home, rest), nil
	}
	return filepath.Abs(path)
}

// outcomes are what one can wait for.
var outcomes = []string{"success", "failure", "any"}

// awaited resolves a job to wait for to its id.
func (a *app) awaited(word string) (string, error) {
	outcome := "success"
	for _, o := range outcomes {
		if rest, ok := strings.CutSuffix(word, ":"+o); ok {
			word, outcome = rest, o
			break
		}
	}
	if err := a.open(); err != nil {
		return "", err
	}
	jobs, err := a.resolve([]string{word}, newest, 1)
	if err != nil {
		return "", err
	}
	return string(jobs[0].ID) + ":" + outcome, nil
}

func (r *runCmd) retries() (job.Retries, error) {
	f := &r.Retries
	p := job.Retries{
		NumRuns: -1, NumSuccesses: f.NumSuccesses, NumFailures: f.NumFailures, AbortDatetime: f.AbortDatetime.Time,
		SuccessCodes: f.SuccessCodes, FailureCodes: f.FailureCodes,
		Delay: f.Delay, JitterRange: f.JitterRange, BackoffBase: f.BackoffBase, MaxDelay: f.MaxDelay,
	}
	switch {
	case r.Retry != nil && (f.NumRuns != nil || f.NumSuccesses != -1):
		return p, usage("--retry N is short for --retries.num-runs N+1 and --retries.num-successes 1, and can't stand beside either")
	case r.Retry != nil && *r.Retry < 0:
		return p, usage("--retry %d: give a number from 0", *r.Retry)
	case r.Retry != nil:
		p.NumRuns, p.NumSuccesses = *r.Retry+1, 1
	case f.NumRuns != nil:
		p.NumRuns = *f.NumRuns
	case f.NumSuccesses == -1 && f.NumFailures == -1 && f.AbortDatetime.IsZero():
		p.NumRuns = 1
	}
	if !f.AbortDatetime.IsZero() && !time.Now().Before(f.AbortDatetime.Time) {
		return p, usage("--retries.abort-datetime %s is past", moment(f.AbortDatetime.Time))
	}
	if err := p.Check(); err != nil {
		return p, usage("%v", err)
	}
	return p, nil
}

func (l *limitFlags) timeout() (t job.Timeout, err error) {
	if l.Timeout != nil && l.TimeoutRun != nil && *l.Timeout != *l.TimeoutRun {
		return t, usage("--timeout is short for --timeout.run, and they differ")
	}
	for _, f := range []struct {
		name string
		from *job.Duration
		to   *job.Duration
	}{{"timeout", l.Timeout, &t.Run}, {"timeout.run", l.TimeoutRun, &t.Run}, {"timeout.job", l.TimeoutJob, &t.Job}} {
		if f.from == nil {
			continue
		}
		if *f.from <= 0 {
			return t, usage("--%s must be longer than nothing", f.name)
		}
		*f.to = *f.from
	}
	return t, nil
}

// describeRetries tells people when a job runs again; "" if it never does.
func describeRetries(r *job.Retries) string {
	var parts []string
	count := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	if r.NumRuns == 1 || r.NumRuns == 0 {
		return ""
	}
	count(r.NumSuccesses, "successes")
	count(r.NumFailures, "failures")
	count(r.NumRuns, "runs")
	if !r.AbortDatetime.IsZero() {
		parts = append(parts, moment(r.AbortDatetime))
	}
	text := "without end"
	if len(parts) > 0 {
		text = "until " + strings.Join(parts, " or ")
	}
	if r.Delay > 0 || r.JitterRange > 0 {
		text += fmt.Sprintf(", %s after each run", r.Delay)
		if r.BackoffBase > 1 {
			text += fmt.Sprintf(", times %v each time", r.BackoffBase)
		}
		if r.JitterRange > 0 {
			text += fmt.Sprintf(", ±%s", r.JitterRange/2)
		}
		if r.MaxDelay >= 0 {
			text += fmt.Sprintf(", at most %s", r.MaxDelay)
		}
	} else if r.NumRuns == -1 {
		text += ", without delay, but 1s once ten runs in a row were over at once"
	}
	return text
}
