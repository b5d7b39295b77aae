package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"jobman/failpoint"
	"jobman/job"
)

// Run is the directory of a run, as an absolute path. It is the one argument of
// the internal verbs `exec`, `ended` and `pump`: all else is found from it.
type Run string

// ErrClaimed is what a second claim of a run gets.
var ErrClaimed = errors.New("the run is already claimed")

// File returns the path of a file of the run.
func (r Run) File(name string) string { return filepath.Join(string(r), name) }

// Logs returns the directory of the run's output.
func (r Run) Logs() string { return r.File("logs") }

// LogBytes returns the size of the run's output.
func (r Run) LogBytes() (int64, error) { return size(r.Logs()) }

// RemoveLogs deletes the run's output.
func (r Run) RemoveLogs() error { return os.RemoveAll(r.Logs()) }

// Job returns the directory of the job.
func (r Run) Job() string { return filepath.Dir(filepath.Dir(string(r))) }

// Locate splits a run's directory into the store that holds it and its name.
func (r Run) Locate() (Tree, job.Ref, error) {
	dir := r.Job()
	shard := filepath.Dir(dir)
	id := job.ID(filepath.Base(shard) + filepath.Base(dir))
	n, err := strconv.Atoi(filepath.Base(string(r)))
	if err != nil || n < 1 || !job.IsID(string(id)) || !filepath.IsAbs(string(r)) {
		return "", job.Ref{}, fmt.Errorf("%q is no run's directory", string(r))
	}
	return Tree(filepath.Dir(filepath.Dir(filepath.Dir(shard)))), job.Ref{ID: id, Run: n}, nil
}

// Spec reads what the run is to execute.
func (r Run) Spec() (*job.Spec, error) {
	s := new(job.Spec)
	return s, readJSON(filepath.Join(r.Job(), "spec"), s)
}

// Claim makes the claim, durably, or returns ErrClaimed. After a power cut the
// claim must not be gone while the command's effects are there, so it is synced
// together with its name before Claim returns.
func (r Run) Claim(c job.Claim) error {
	b, err := encode(c)
	if err != nil {
		return err
	}
	// Written aside and linked, so that nobody ever reads half a claim.
	tmp, err := os.CreateTemp(string(r), ".claim.*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if _, err := tmp.Write(b); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	failpoint.Hit("claim")
	if err := os.Link(tmp.Name(), r.File("claim")); errors.Is(err, fs.ErrExist) {
		return ErrClaimed
	} else if err != nil {
		return err
	}
	failpoint.Hit("claimed")
	return SyncDir(string(r))
}

// ReadClaim returns the claim, or nil where there is none. A claim that can't
// be read is a claim all the same.
func (r Run) ReadClaim() (*job.Claim, error) {
	c := new(job.Claim)
	return optional(c, r.File("claim"))
}

// Beat notes that the run lives at a moment: in the time of its claim, for people and for
// other machines. What is not executed yet has no heart.
func (r Run) Beat(at time.Time) error {
	err := os.Chtimes(r.File("claim"), at, at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Heartbeat returns when the run was last noted to live; zero: never.
func (r Run) Heartbeat() (time.Time, error) {
	info, err := os.Stat(r.File("claim"))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime().UTC(), nil
}

// WriteExit leaves the exit record. It is not synced: should a power cut take
// it, the run is lost, which is the truth.
func (r Run) WriteExit(e job.Exit) error { return writeJSON(r.File("exit"), e) }

// ReadExit returns the exit record, or nil where there is none. A torn one is
// none.
func (r Run) ReadExit() (*job.Exit, error) {
	e, err := optional(new(job.Exit), r.File("exit"))
	if e != nil && e.At.IsZero() {
		return nil, err
	}
	return e, err
}

// WriteStartError leaves word of why the command could not be executed, for
// whoever writes the exit record.
func (r Run) WriteStartError(text string) error {
	return WriteFile(r.File("start-error"), []byte(text))
}

// OpenStartError is WriteStartError for who will have no right to the run's
// directory by then. Until it is called there is an empty file, which is no word.
func (r Run) OpenStartError() (write func(text string) error, err error) {
	f, err := os.OpenFile(r.File("start-error"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return func(text string) error {
		_, err := f.WriteString(text)
		return errors.Join(err, f.Close())
	}, nil
}

// StartError returns that word, or "".
func (r Run) StartError() (string, error) {
	b, err := os.ReadFile(r.File("start-error"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(b), err
}

// optional reads JSON into v; nil where the file is missing, a zero v where it
// is torn.
func optional[T any](v *T, name string) (*T, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(b, v) != nil {
		return new(T), nil
	}
	return v, nil
}

// Conclude leaves word of a run's end: the exit record, and mail in the inbox.
// An end that belongs to another execution than the one that made the claim is
// nobody's business and changes nothing (a unit that was started a second time
// finds the claim and ends at once). Where no claim was made, the run is first
// made void, so that nothing can execute it after it was said to be over.
func (r Run) Conclude(e job.Exit) error {
	store, ref, err := r.Locate()
	if err != nil {
		return err
	}
	claim, err := r.ReadClaim()
	if err != nil {
		return err
	}
	if claim == nil {
		err := r.Claim(job.Claim{InvocationID: e.InvocationID, At: e.At, Void: "it ended before the command was executed"})
		if err != nil && !errors.Is(err, ErrClaimed) {
			return err
		}
		if claim, err = r.ReadClaim(); err != nil {
			return err
		}
	}
	if claim.InvocationID != e.InvocationID {
		return nil
	}
	if e.StartError == "" {
		if e.StartError, err = r.StartError(); err != nil {
			return err
		}
	}
	r.Log().Add(ended(&e))
	if err := r.WriteExit(e); err != nil {
		return err
	}
	err = store.Drop(ref)
	failpoint.Hit("dropped")
	return err
}
