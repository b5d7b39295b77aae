// Package tree is the part of the store that is plain files: the mirror of the
// index for people and scripts, the records that prove what happened to a run,
// and the inbox. Nothing here takes a lock; whatever matters is made atomic by
// rename(2), link(2) or O_EXCL.
//
//	~/.jobman/.db/                       0700; every file 0600
//	  index/jobman.bolt                  the index (package store/bolt)
//	  inbox/<uuid>.<count>               ended runs, until a step has taken them in
//	  reconciled                         its time is when the safety net came last
//	  bin/                               the copy of jobman that units execute, and what helps it
//	  ticker/                            lock  poke: the fork supervisor's ticker
//	  watcher/                           lock  poke: what watches for systemd's jobs
//	  deliverer/                         lock  poke: what delivers from the outbox
//	  jobman.log                         what jobman did that concerns no one job
//	  setup                              what `jobman setup` has changed
//	  reaper                             the configuration's limits of output
//	  data/version
//	  data/jobs/<UUID[:2]>/<UUID[2:]>/   version  spec  state  env  jobman.log  dependents/<uuid>
//	    runs/version
//	    runs/<count>/                    state  claim  exit  jobman.log  logs/log.<n>
package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"jobman/failpoint"
	"jobman/job"
)

// Version is the layout's version, as the version files hold it.
const Version = "1"

// Tree is a store's directory, as an absolute path.
type Tree string

// Job returns the directory of a job.
func (t Tree) Job(id job.ID) string {
	return filepath.Join(string(t), "data", "jobs", string(id[:2]), string(id[2:]))
}

// Run returns the directory of a run.
func (t Tree) Run(r job.Ref) Run {
	return Run(filepath.Join(t.Job(r.ID), "runs", strconv.Itoa(r.Run)))
}

// Inbox returns the directory whose entries name ended runs.
func (t Tree) Inbox() string { return filepath.Join(string(t), "inbox") }

// InboxTurn returns the file at which those wait for their turn who would all take in
// the same mail.
func (t Tree) InboxTurn() string { return filepath.Join(string(t), "inbox.turn") }

// Index returns the directory of the index.
func (t Tree) Index() string { return filepath.Join(string(t), "index") }

// IsWithin tells whether a path is a store's directory or that of one of its
// runs.
func IsWithin(path string) bool {
	if _, _, err := Run(path).Locate(); err == nil {
		return true
	}
	_, err := os.Lstat(filepath.Join(path, "data", "version"))
	return filepath.IsAbs(path) && err == nil
}

// Create makes what every store has, where it is missing.
func (t Tree) Create() error {
	for _, dir := range []string{t.Index(), t.Inbox(), filepath.Join(string(t), "data", "jobs")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return writeMissing(filepath.Join(string(t), "data", "version"), Version+"\n")
}

// WriteJob writes what a run is executed from: the job's spec and environment.
func (t Tree) WriteJob(id job.ID, spec *job.Spec, env []byte) error {
	dir := t.Job(id)
	if err := os.MkdirAll(filepath.Join(dir, "runs"), 0o700); err != nil {
		return err
	}
	for _, f := range []string{filepath.Join(dir, "version"), filepath.Join(dir, "runs", "version")} {
		if err := writeMissing(f, Version+"\n"); err != nil {
			return err
		}
	}
	if err := writeJSON(filepath.Join(dir, "spec"), spec); err != nil {
		return err
	}
	return WriteFile(filepath.Join(dir, "env"), env)
}

// HasRun tells whether all is there that a run is executed from.
func (t Tree) HasRun(r job.Ref) bool {
	return exists(filepath.Join(t.Job(r.ID), "spec")) && exists(filepath.Join(t.Job(r.ID), "env")) && t.HasState(r)
}

// HasState tells whether the state files of a run and its job are there.
func (t Tree) HasState(r job.Ref) bool {
	return exists(t.Run(r).File("state")) && exists(filepath.Join(t.Job(r.ID), "state"))
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// WriteState writes the state files of a job and of the runs it carries.
func (t Tree) WriteState(j *job.Job) error {
	if err := os.MkdirAll(t.Job(j.ID), 0o700); err != nil {
		return err
	}
	for i := range j.Runs {
		if err := t.WriteRun(j.ID, &j.Runs[i]); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(t.Job(j.ID), "state"), jobState(j))
}

// WriteRun writes the state file of a run.
func (t Tree) WriteRun(id job.ID, r *job.Run) error {
	dir := t.Run(job.Ref{ID: id, Run: r.N})
	if err := os.MkdirAll(string(dir), 0o700); err != nil {
		return err
	}
	return writeJSON(dir.File("state"), runState(r))
}

// RemoveJob deletes all files of a job.
func (t Tree) RemoveJob(id job.ID) error { return os.RemoveAll(t.Job(id)) }

// AddDependent notes that a job waits for another one, so that whoever records
// that one's end can step it at once. One that was deleted is not made again.
func (t Tree) AddDependent(id, dependent job.ID) error {
	dir := filepath.Join(t.Job(id), "dependents")
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return writeMissing(filepath.Join(dir, string(dependent)), "")
}

// Dependents returns the jobs that wait, or waited, for another one.
func (t Tree) Dependents(id job.ID) (ids []job.ID, err error) {
	entries, err := os.ReadDir(filepath.Join(t.Job(id), "dependents"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if job.IsID(e.Name()) {
			ids = append(ids, job.ID(e.Name()))
		}
	}
	return ids, err
}

// Env returns the job's environment, NUL-terminated strings as in
// /proc/PID/environ.
func (t Tree) Env(id job.ID) ([]byte, error) {
	return os.ReadFile(filepath.Join(t.Job(id), "env"))
}

// Drop puts a run that ended into the inbox.
func (t Tree) Drop(r job.Ref) error {
	f, err := os.OpenFile(t.mail(r), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// Mail lists the inbox. What can't be a run's name is removed.
func (t Tree) Mail() ([]job.Ref, error) {
	entries, err := os.ReadDir(t.Inbox())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the store was removed
	}
	if err != nil {
		return nil, err
	}
	var refs []job.Ref
	for _, e := range entries {
		id, count, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || !job.IsID(id) {
			if err := os.RemoveAll(filepath.Join(t.Inbox(), e.Name())); err != nil {
				return nil, err
			}
			continue
		}
		refs = append(refs, job.Ref{ID: job.ID(id), Run: n})
	}
	return refs, nil
}

// MailAge returns how long mail has been in the inbox, if it is there.
func (t Tree) MailAge(r job.Ref, now time.Time) (age time.Duration, there bool) {
	info, err := os.Stat(t.mail(r))
	if err != nil {
		return 0, !errors.Is(err, fs.ErrNotExist)
	}
	return now.Sub(info.ModTime()), true
}

func (t Tree) mail(r job.Ref) string {
	return filepath.Join(t.Inbox(), string(r.ID)+"."+strconv.Itoa(r.Run))
}

// Take removes a run from the inbox, once its end is committed.
func (t Tree) Take(r job.Ref) error {
	err := os.Remove(t.mail(r))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// WriteFile replaces a file atomically. It is not synced: what must survive a
// power cut is in the index, or is a claim.
func WriteFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	failpoint.Hit("rename-" + filepath.Base(name))
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	failpoint.Hit("renamed-" + filepath.Base(name))
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func writeJSON(name string, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	return WriteFile(name, b)
}

// encode makes one line of JSON that leaves <, > and & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func readJSON(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func writeMissing(name, text string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
