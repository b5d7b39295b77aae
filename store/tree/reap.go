package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"jobman/job"
)

// Reaper is what the configuration says of how much output is kept; see
// job.Retention. It is a file of the store, because those who record ends read no
// configuration.
type Reaper struct {
	MaxJobs int          `json:"max_jobs,omitzero"` // 0: no limit
	MaxAge  job.Duration `json:"max_age,omitzero"`  // 0: no limit
}

func (t Tree) reaper() string { return filepath.Join(string(t), "reaper") }

// Reaper returns what SetReaper left. A file that can't be read is an error, never a
// limit: a power cut may have torn it. The next submission writes it again.
func (t Tree) Reaper() (r Reaper, err error) {
	err = readJSON(t.reaper(), &r)
	if errors.Is(err, fs.ErrNotExist) {
		return Reaper{}, nil
	}
	return r, err
}

// SetReaper leaves word of the configuration, unless that is there already.
func (t Tree) SetReaper(r Reaper) error {
	now, err := os.ReadFile(t.reaper())
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return err
	}
	if r == (Reaper{}) {
		if missing {
			return nil
		}
		return os.Remove(t.reaper())
	}
	wanted, err := encode(r)
	if err != nil || string(wanted) == string(now) {
		return err
	}
	return WriteFile(t.reaper(), wanted)
}

// Size returns how many bytes the files of a job have.
func (t Tree) Size(id job.ID) (int64, error) { return size(t.Job(id)) }

// OutputSize returns how many bytes of output a job has.
func (t Tree) OutputSize(id job.ID) (total int64, err error) {
	runs, err := readDir(filepath.Join(t.Job(id), "runs"))
	for _, run := range runs {
		if !run.IsDir() {
			continue
		}
		bytes, rerr := Run(filepath.Join(t.Job(id), "runs", run.Name())).LogBytes()
		total += bytes
		err = errors.Join(err, rerr)
	}
	return total, err
}

// size adds up the files below a directory; one that is not there has none.
func size(dir string) (total int64, err error) {
	entries, err := readDir(dir)
	for _, e := range entries {
		var bytes int64
		if e.IsDir() {
			bytes, err = size(filepath.Join(dir, e.Name()))
		} else if info, ierr := e.Info(); ierr == nil {
			bytes = info.Size()
		} else if !errors.Is(ierr, fs.ErrNotExist) { // else it went meanwhile
			err = ierr
		}
		if err != nil {
			return total, err
		}
		total += bytes
	}
	return total, err
}

// readDir lists a directory; one that is not there is empty.
func readDir(dir string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
