package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"jobman/failpoint"
	"jobman/job"
)

// The trash holds what was deleted and may still have files: jobs by their id, and
// the output of runs by the run's key. An entry is forgotten when its files are
// gone, so a deletion that was interrupted is finished by a later one.

// waste is an entry of the trash; N is 0 for a job.
type waste []job.Ref

// tidyAtMost is how many entries of the trash are looked at beside other work.
const tidyAtMost = 50

func (t tx) waste(id job.ID, run int) error {
	return t.Bucket(bucketTrash).Put(runKey(id, run), nil)
}

// reclaim takes what a job of this id left behind out of the trash: it is a new
// job's own.
func (t tx) reclaim(id job.ID) error {
	b := t.Bucket(bucketTrash)
	keys := [][]byte{[]byte(id)}
	c := b.Cursor()
	for k, _ := c.Seek(runsOf(id)); bytes.HasPrefix(k, runsOf(id)); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// emptyTrash forgets what has no files any more and returns the rest, of at most so
// many entries (-1: of all).
func (t tx) emptyTrash(atMost int) (left waste, forgot bool, err error) {
	var gone [][]byte
	for k := range all(t.Bucket(bucketTrash)) {
		if atMost == 0 {
			break
		}
		atMost--
		ref := job.Ref{ID: job.ID(k)}
		dir := ""
		if id, run, isRun := bytes.Cut(k, []byte("/")); isRun {
			ref = job.Ref{ID: job.ID(id), Run: int(binary.BigEndian.Uint32(run))}
			dir = t.store.tree.Run(ref).Logs()
		} else {
			dir = t.store.tree.Job(ref.ID)
		}
		if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
			gone = append(gone, bytes.Clone(k))
		} else {
			left = append(left, ref)
		}
	}
	for _, k := range gone {
		if err := t.Bucket(bucketTrash).Delete(k); err != nil {
			return nil, false, err
		}
	}
	return left, len(gone) > 0, nil
}

// remove deletes the files of what is in the trash. Nobody writes them any more, so
// nobody need wait for it.
func (s *Store) remove(w waste) {
	for _, ref := range w {
		failpoint.Hit("remove")
		var err error
		if ref.Run > 0 {
			err = s.tree.Run(ref).RemoveLogs()
		} else {
			err = s.tree.RemoveJob(ref.ID)
		}
		if err != nil {
			s.log(fmt.Errorf("remove the files of job %s: %w", ref.ID, err))
		}
		failpoint.Hit("removed")
	}
}
