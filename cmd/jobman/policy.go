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
	Timedelta     *job.Duration `placeholder:"D" help:"Don't run before this long after the submission."`
	File          []string      `sep:"none" placeholder:"GLOB" help:"Don't run before this file, or one that matches, is there; repeatable."`
	NonopenFile   []string      `sep:"none" placeholder:"GLOB" help:"Don't run before this file is there and open in no process; repeatable."`
	Script        []string      `sep:"none" placeholder:"PATH" help:"Don't run before this executable ends with 0; repeatable."`
	HTTP          []string      `name:"http" sep:"none" placeholder:"URL" help:"Don't run before this URL answers with 2xx; repeatable."`
	S3            []string      `name:"s3" sep:"none" placeholder:"URL" help:"Don't run before s3://bucket[/key-or-prefix/] is there; repeatable."`
	Job           []string      `sep:"none" placeholder:"JOB[:success|failure|any]" help:"Don't run before this job has completed so (default: success); repeatable."`
	Sensor        []string      `sep:"none" placeholder:"NAME" help:"Don't run before this sensor of the configuration is met; repeatable."`
	Any           bool          `negatable:"" help:"One of the conditions is enough (default: all must hold at once)."`
	PollInterval  job.Duration  `default:"60s" placeholder:"D" help:"How long after a check of nonopen-file, script, http and s3 the next (default: 60s)."`
	ExtraDelay    job.Duration  `default:"0s" placeholder:"D" help:"Run this long after the conditions were met (default: 0s)."`
	AbortDatetime moment_       `placeholder:"TIME" help:"Fail if no run has started by then (default: wait without end)."`
}

// retryFlags are the policy of repeating.
type retryFlags struct {
	NumRuns       *int         `placeholder:"N" help:"Run that often, also after success; -1: no limit (default: 1, if no other limit is set)."`
	NumSuccesses  int          `default:"-1" placeholder:"N" help:"Run until that many runs were successes; -1: no limit (default)."`
	NumFailures   int          `default:"-1" placeholder:"N" help:"Run until that many runs were failures; -1: no limit (default)."`
	AbortDatetime moment_      `placeholder:"TIME" help:"Start no run after this time (default: no limit)."`
	SuccessCodes  job.Codes    `default:"0" placeholder:"CODES" help:"Exit codes that are a success, such as 0,10-19 (default: 0)."`
	FailureCodes  job.Codes    `placeholder:"CODES" help:"Exit codes that are a failure; others are neutral (default: all that are no success)."`
	Delay         job.Duration `default:"0s" placeholder:"D" help:"How long after a run the next starts (default: 0s)."`
	JitterRange   job.Duration `default:"0s" placeholder:"D" help:"Make the delay longer or shorter at random, by at most half of this (default: 0s)."`
	BackoffBase   float64      `name:"exponential-backoff-base" default:"1" placeholder:"B" help:"Multiply the delay by this after each run (default: 1)."`
	MaxDelay      job.MaxDelay `default:"-1" placeholder:"D" help:"Delay no longer than this; -1: no limit (default)."`
}

// limitFlags are what else decides about a job's runs.
type limitFlags struct {
	// What is short for others is written out before the flags are read, see shorts.go.
	Retry      *int          `group:"Repeating" placeholder:"N" help:"Run again after a failure, at most N times: short for num-runs N+1 and num-successes 1 (default: never)."`
	Timeout    *job.Duration `placeholder:"D" help:"Short for --timeout.run."`
	TimeoutRun *job.Duration `name:"timeout.run" placeholder:"D" help:"End a run that takes longer, and call it a failure (default: no limit)."`
	TimeoutJob *job.Duration `name:"timeout.job" placeholder:"D" help:"End the job this long after the start of its first run (default: no limit)."`
	OnReboot   string        `enum:"fail,rerun" default:"fail" placeholder:"fail|rerun" help:"What a run that a reboot ended is: a failure (default), or nothing, and a new one starts."`
	Property   []string      `short:"p" sep:"none" placeholder:"KEY=VALUE" help:"Set a property of the systemd unit, such as MemoryMax=1G or CPUQuota=50%; repeatable."`
	UID        string        `name:"uid" placeholder:"USER" help:"Run as this user; for root (default: root)."`
	GID        string        `name:"gid" placeholder:"GROUP" help:"Run as this group; for root (default: the user's)."`
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
func (r *jobFlags) policy(a *app, s *job.Spec) (err error) {
	if s.Wait, err = r.Wait.wait(a); err != nil {
		return err
	}
	if s.Retries, err = r.retries(a); err != nil {
		return err
	}
	if s.Timeout, err = r.timeout(); err != nil {
		return err
	}
	if r.OnReboot != string(job.OnRebootFail) {
		s.OnReboot = job.OnReboot(r.OnReboot)
	}
	if err := checkProperties(r.Property); err != nil {
		return err
	}
	for _, p := range r.Property {
		if nice, isNice, _ := units.Nice(p); isNice {
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
		return out, a.past("wait.abort-datetime", w.AbortDatetime.Time)
	}
	for _, list := range []struct {
		kind  job.Kind
		given []string
		to    *[]job.Text
	}{{job.KindFile, w.File, &out.File}, {job.KindNonopenFile, w.NonopenFile, &out.NonopenFile}, {job.KindScript, w.Script, &out.Script}} {
		for _, path := range list.given {
			target, err := a.target(list.kind, path)
			if err != nil {
				return out, usage("--wait.%s %v", list.kind, err)
			}
			*list.to = append(*list.to, target)
		}
	}
	for kind, list := range map[job.Kind][]string{job.KindHTTP: w.HTTP, job.KindS3: w.S3} {
		for _, url := range list {
			if _, err := a.target(kind, url); err != nil {
				return out, usage("--wait.%s %v", kind, err)
			}
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
	if err := w.sensors(a, &out); err != nil {
		return out, err
	}
	return out, inTime(&out, now)
}

// inTime tells why a job that is submitted now could never run: it would be too late
// by the time that it waits for. What is wrong at any time, [job.Wait.Check] knows.
func inTime(w *job.Wait, now time.Time) error {
	if w.Timedelta == nil || w.AbortDatetime.IsZero() || w.Any && len(w.Conditions()) > 1 {
		return nil
	}
	if now.Add(time.Duration(*w.Timedelta)).Add(time.Duration(w.ExtraDelay)).After(w.AbortDatetime) {
		return usage("wait.abort-datetime is not after wait.timedelta and wait.extra-delay: the job could never run")
	}
	return nil
}

// target is what a condition is held against: paths are absolute, jobs are ids.
func (a *app) target(kind job.Kind, given string) (job.Text, error) {
	switch kind {
	case job.KindFile, job.KindNonopenFile, job.KindScript:
		path, err := absolute(given)
		if err != nil {
			return "", fmt.Errorf("%q: %w", given, err)
		}
		if _, err := filepath.Match(path, ""); err != nil && kind != job.KindScript {
			return "", fmt.Errorf("%q is no pattern: %w", given, err)
		}
		if kind == job.KindScript {
			a.noteScript(path)
		}
		return job.Text(path), nil
	case job.KindHTTP:
		if u, err := url.Parse(given); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "", fmt.Errorf("%q is no URL; write it like https://example.org/ready", given)
		}
	case job.KindS3:
		if bucket, ok := strings.CutPrefix(given, "s3://"); !ok || bucket == "" || bucket[0] == '/' {
			return "", fmt.Errorf("%q is none; write s3://bucket, s3://bucket/key or s3://bucket/prefix/", given)
		}
	case job.KindJob:
		target, err := a.awaited(given)
		return job.Text(target), err
	case job.KindDatetime:
		at, err := job.ParseMoment(given, time.Now())
		return job.Text(at.UTC().Format(time.RFC3339Nano)), err
	case job.KindTimedelta:
		d, err := job.ParseDuration(given)
		return job.Text(d.String()), err
	}
	return job.Text(given), nil
}

// noteScript says that a script can't be executed yet.
func (a *app) noteScript(script string) {
	info, err := os.Stat(script)
	switch {
	case errors.Is(err, os.ErrNotExist):
		a.note("--wait.script %s is not there yet", script)
	case err == nil && (info.IsDir() || info.Mode()&0o111 == 0):
		a.note("--wait.script %s can't be executed yet", script)
	}
}

// past tells that a time that something may be no later than is over.
func (a *app) past(option string, at time.Time) error {
	p := usage("--%s %s is past", option, moment(at))
	if a.line != nil && !a.given(option) {
		p.text += fmt.Sprintf("; --%s= takes it away", option)
	}
	return p
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

func (r *jobFlags) retries(a *app) (job.Retries, error) {
	f := &r.Retries
	p := job.Retries{
		NumRuns: -1, NumSuccesses: f.NumSuccesses, NumFailures: f.NumFailures, AbortDatetime: f.AbortDatetime.Time,
		SuccessCodes: f.SuccessCodes, FailureCodes: f.FailureCodes,
		Delay: f.Delay, JitterRange: f.JitterRange, BackoffBase: f.BackoffBase, MaxDelay: f.MaxDelay,
	}
	switch {
	case f.NumRuns != nil:
		p.NumRuns = *f.NumRuns
	case f.NumSuccesses == -1 && f.NumFailures == -1 && f.AbortDatetime.IsZero():
		p.NumRuns = 1
	}
	if !f.AbortDatetime.IsZero() && !time.Now().Before(f.AbortDatetime.Time) {
		return p, a.past("retries.abort-datetime", f.AbortDatetime.Time)
	}
	if err := p.Check(); err != nil {
		return p, usage("%v", err)
	}
	return p, nil
}

func (l *limitFlags) timeout() (t job.Timeout, err error) {
	for _, f := range []struct {
		name string
		from *job.Duration
		to   *job.Duration
	}{{"timeout.run", l.TimeoutRun, &t.Run}, {"timeout.job", l.TimeoutJob, &t.Job}} {
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
	count := func(n int, one, more string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, more))
		}
	}
	if r.NumRuns == 1 || r.NumRuns == 0 {
		return ""
	}
	count(r.NumSuccesses, "success", "successes")
	count(r.NumFailures, "failure", "failures")
	count(r.NumRuns, "run", "runs")
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

// contradictions are what is wrong with options that are each well-formed, as far as
// that can be told without a job.
func (r *jobFlags) contradictions(a *app) (all []error) {
	var errs []error
	_, err := r.Log.log()
	errs = append(errs, err)
	_, err = r.retries(a)
	errs = append(errs, err)
	_, err = r.timeout()
	errs = append(errs, err)
	if r.Name != "" {
		errs = append(errs, job.CheckName(r.Name))
	}
	if r.Group != "" {
		errs = append(errs, job.CheckGroup(r.Group))
	}
	errs = append(errs, checkProperties(r.Property), checkVariables(r.Env))
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

func checkProperties(properties []string) error {
	for _, p := range properties {
		_, isNice, err := units.Nice(p)
		if err == nil && !isNice {
			_, err = units.ParseProperty(p)
		}
		if err != nil {
			return usage("--property %v", err)
		}
	}
	return nil
}

func checkVariables(env []string) error {
	for _, e := range env {
		if key, _, _ := strings.Cut(e, "="); key == "" {
			return usage("--env %q has no name; write NAME=VALUE", e)
		}
	}
	return nil
}
