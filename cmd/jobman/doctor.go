package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"jobman/doctor"
	"jobman/store"
	"jobman/store/bolt"
)

type doctorCmd struct {
	Rebuild bool `help:"Make a lost or damaged index again from the jobs' files."`
}

// Help implements kong's hook for the text below the summary.
func (*doctorCmd) Help() string {
	return `Says what works here and what doesn't, a line each: ok, a warning, or a
problem, with the command that helps. It ends with code 1 if there is a problem:
if something would lose jobs, or let none run. A rebuild leaves a sound index alone, and
keeps a damaged one beside the new.

Examples:
  jobman doctor
  jobman doctor --rebuild`
}

// findingView is the JSON form of a finding.
type findingView struct {
	About   string       `json:"about"`
	Level   doctor.Level `json:"level"`
	OK      bool         `json:"ok"` // it is no problem
	Message string       `json:"message"`
	Hint    *string      `json:"hint"`
}

// Run looks at what jobs depend on.
func (d *doctorCmd) Run(a *app) error {
	if d.Rebuild {
		return d.rebuild(a)
	}
	findings := []doctor.Finding{a.examineConfig(), a.examineStore(), a.examineIndex()}
	findings = append(findings, a.examineJobs()...)
	backend, found := a.examineBackend()
	findings = append(append(findings, found), a.examineMachine(backend)...)
	if err := a.tellFindings(findings); err != nil {
		return err
	}
	for _, f := range findings {
		if f.Level == doctor.Problem {
			return exitStatus(codeFailed)
		}
	}
	return nil
}

func (a *app) tellFindings(findings []doctor.Finding) error {
	if a.JSON {
		views := make([]findingView, len(findings))
		for i, f := range findings {
			views[i] = findingView{f.About, f.Level, f.Level != doctor.Problem, f.Message, known(f.Hint)}
		}
		return a.printJSON(map[string]any{"findings": views})
	}
	for _, f := range findings {
		if f.Level == doctor.OK && a.Quiet {
			continue
		}
		fmt.Fprintf(a.stdout, "%-8s %s: %s\n", f.Level, f.About, printable(f.Message))
		if f.Hint != "" {
			fmt.Fprintf(a.stdout, "%-8s try: %s\n", "", printable(f.Hint))
		}
	}
	return nil
}

// examined makes a finding of an error, or of its absence.
func examined(about string, err error, message string) doctor.Finding {
	if err == nil {
		return doctor.Fine(about, "%s", message)
	}
	p, _ := classify(storeProblem(err))
	f := doctor.Bad(about, "%s", p.text)
	f.Hint = p.hint
	return f
}

// examineConfig tells whether the configuration can be used.
func (a *app) examineConfig() doctor.Finding {
	found, err := a.checkConfig()
	switch {
	case err == nil && len(found) > 0:
		err = (&problem{kind: "config", text: found.Error(), err: found}).try("jobman config check")
	case a.settings.Empty():
		return examined("configuration", err, "there is none")
	}
	return examined("configuration", err, "nothing is wrong with it")
}

// examineStore tells whether a job could be written.
func (a *app) examineStore() doctor.Finding {
	if err := a.openAside(); err != nil {
		return examined("store", err, "")
	}
	if _, err := os.Lstat(string(a.tree)); errors.Is(err, fs.ErrNotExist) {
		return examined("store", nil, string(a.tree)+" will be made with the first job")
	}
	f, err := os.CreateTemp(a.tree.Index(), ".doctor.*")
	if err == nil {
		_, err = f.Write(make([]byte, 64<<10))
		err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	}
	return examined("store", err, string(a.tree)+" can be written")
}

// examineIndex reads the whole index.
func (a *app) examineIndex() doctor.Finding {
	if a.index == nil {
		return doctor.Bad("index", "it could not be looked at")
	}
	err := a.index.Check(a.ctx)
	if err != nil {
		return examined("index", err, "")
	}
	jobs, err := a.index.Query(a.ctx, store.Filter{Brief: true})
	return examined("index", err, fmt.Sprintf("sound, with %d jobs", len(jobs)))
}

// examineJobs looks at who sees to the incomplete jobs, and at the clock by which
// that is told.
func (a *app) examineJobs() (all []doctor.Finding) {
	if a.index == nil {
		return nil
	}
	var written time.Time
	// Not the directory's: examineStore has just written there.
	if info, err := os.Stat(filepath.Join(a.tree.Index(), "jobman.bolt")); err == nil {
		written = info.ModTime()
	}
	now := time.Now()
	all = append(all, doctor.Clock(now, written), doctor.Modes(a.modes()))
	jobs, err := a.store.Query(a.ctx, store.Filter{Active: true, Brief: true})
	if err != nil {
		return all // the index's finding says it
	}
	here, others := 0, []string{}
	for _, j := range jobs {
		if j.HostID == a.HostID {
			here++
		} else {
			others = append(others, j.Host)
		}
	}
	last, err := a.tree.Reconciled()
	if err != nil {
		return append(all, examined("safety net", err, ""))
	}
	name, err := os.Hostname()
	if err != nil {
		return append(all, examined("other machines", err, ""))
	}
	return append(all, doctor.SafetyNet(here, now.Sub(last)), doctor.Hosts(name, others))
}

// modes are those of the store, and of the directories that it is in.
func (a *app) modes() (all []doctor.Mode) {
	add := func(path string, above bool) {
		if info, err := os.Stat(path); err == nil {
			all = append(all, doctor.Mode{Path: path, Mode: info.Mode(), Above: above})
		}
	}
	root := string(a.tree)
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	for _, name := range []string{"", "index", "index/jobman.bolt", "data", "data/jobs", "inbox"} {
		add(filepath.Join(root, name), false)
	}
	for _, dir := range doctor.Above(root) {
		add(dir, true)
	}
	return all
}

// examineBackend tells what would run a job.
func (a *app) examineBackend() (backend string, f doctor.Finding) {
	backend, why, err := detect(probe(a.scope, a.BackendKind))
	return backend, examined("backend", err, fmt.Sprintf("%s: %s", backend, why))
}

// rebuild makes the index again.
func (d *doctorCmd) rebuild(a *app) error {
	if err := a.openAside(); err != nil {
		return err
	}
	if _, err := os.Lstat(string(a.tree)); errors.Is(err, fs.ErrNotExist) {
		return &problem{kind: "store", text: fmt.Sprintf("there is no store at %s", a.tree)}
	}
	r, rebuilt, err := a.index.Rebuild(a.ctx, a.progress("jobs read"))
	if err != nil {
		return storeProblem(err)
	}
	if rebuilt {
		// What ran meanwhile may be over.
		if _, err := a.Reconcile(a.ctx); err != nil {
			return storeProblem(err)
		}
	}
	return a.tellRebuilt(r, rebuilt)
}

func (a *app) tellRebuilt(r bolt.Rebuilt, rebuilt bool) error {
	if a.JSON {
		skipped := []map[string]string{}
		for _, s := range r.Skipped {
			skipped = append(skipped, map[string]string{"id": string(s.ID), "error": s.Why.Error()})
		}
		return a.printJSON(map[string]any{"rebuilt": rebuilt, "jobs": r.Jobs, "skipped": skipped, "old_index": known(r.Old)})
	}
	if !rebuilt {
		a.note("the index is sound; nothing was changed")
		return nil
	}
	if !a.Quiet {
		fmt.Fprintf(a.stdout, "%d jobs are back\n", r.Jobs)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(a.stderr, "jobman: job %s is left out: %s\n", s.ID, printable(s.Why.Error()))
	}
	if r.Old != "" {
		a.note("the old index is %s", r.Old)
	}
	return nil
}

// progress returns what tells on a terminal how far a long work is; of is 0 where
// nobody knows yet how much there is.
func (a *app) progress(what string) func(done, of int) {
	if a.Quiet || a.JSON || !isTerminal(os.Stderr) {
		return func(int, int) {}
	}
	return func(done, of int) {
		end := "\r"
		if done == of {
			end = "\n"
		}
		if of == 0 {
			fmt.Fprintf(a.stderr, "%d %s%s", done, what, end)
			return
		}
		fmt.Fprintf(a.stderr, "%d of %d %s%s", done, of, what, end)
	}
}
