package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"jobman/store"
	"jobman/store/bolt"
)

type doctorCmd struct {
	Rebuild bool `help:"Make a lost or damaged index again from the jobs' files."`
}

// Help implements kong's hook for the text below the summary.
func (*doctorCmd) Help() string {
	return `Says what works here and what doesn't, each with its remedy, and ends with
code 1 if something would lose jobs. A rebuild leaves a sound index alone, and
keeps a damaged one beside the new.

Examples:
  jobman doctor
  jobman doctor --rebuild`
}

// finding is what doctor found out about one thing.
type finding struct {
	About   string  `json:"about"`
	OK      bool    `json:"ok"`
	Message string  `json:"message"`
	Hint    *string `json:"hint"`
}

// Run looks at what jobs depend on.
func (d *doctorCmd) Run(a *app) error {
	if d.Rebuild {
		return d.rebuild(a)
	}
	findings := []finding{a.examineConfig(), a.examineStore(), a.examineIndex(), a.examineBackend()}
	bad := false
	for _, f := range findings {
		bad = bad || !f.OK
	}
	if a.JSON {
		if err := a.printJSON(map[string]any{"findings": findings}); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			mark := "ok"
			if !f.OK {
				mark = "PROBLEM"
			}
			if f.OK && a.Quiet {
				continue
			}
			fmt.Fprintf(a.stdout, "%-8s %s: %s\n", mark, f.About, printable(f.Message))
			if f.Hint != nil {
				fmt.Fprintf(a.stdout, "%-8s try: %s\n", "", printable(*f.Hint))
			}
		}
	}
	if bad {
		return exitStatus(codeFailed)
	}
	return nil
}

// examined makes a finding of an error, or of its absence.
func examined(about string, err error, message string) finding {
	if err == nil {
		return finding{About: about, OK: true, Message: message}
	}
	p, _ := classify(storeProblem(err))
	return finding{About: about, Message: p.text, Hint: known(p.hint)}
}

// examineConfig tells whether the configuration can be used.
func (a *app) examineConfig() finding {
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
func (a *app) examineStore() finding {
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
func (a *app) examineIndex() finding {
	if a.index == nil {
		return finding{About: "index", Message: "it could not be looked at"}
	}
	err := a.index.Check(a.ctx)
	if err != nil {
		return examined("index", err, "")
	}
	jobs, err := a.index.Query(a.ctx, store.Filter{Brief: true})
	return examined("index", err, fmt.Sprintf("sound, with %d jobs", len(jobs)))
}

// examineBackend tells what would run a job.
func (a *app) examineBackend() finding {
	backend, why, err := detect(probe(a.scope, a.BackendKind))
	return examined("backend", err, fmt.Sprintf("%s: %s", backend, why))
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
