package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"jobman/job"
	"jobman/store"
	"jobman/store/tree"
)

// Rebuilt is what a rebuild came to.
type Rebuilt struct {
	Jobs    int
	Skipped []Skipped // whose files can't be made sense of
	Old     string    // where the old index is now; "": there was none
}

// Skipped is a job that a rebuild left out.
type Skipped struct {
	ID  job.ID
	Why error
}

// rebuildBatch is how many jobs go into one transaction.
const rebuildBatch = 500

// Rebuild makes a lost or damaged index again from the files that mirror it. It
// returns false where the index is sound, and leaves that alone. The new index is
// made aside and checked, and takes the old one's place in one step, so it can be
// killed anywhere; the old one is kept. A job that the files call active is
// active again, and the next step finds out what became of it.
func (s *Store) Rebuild(ctx context.Context, progress func(done, of int)) (r Rebuilt, rebuilt bool, err error) {
	if err := s.tree.Create(); err != nil {
		return r, false, fmt.Errorf("create the store: %w", err)
	}
	unlock, err := s.lock(ctx, true)
	if err != nil {
		return r, false, err
	}
	defer unlock()
	_, err = os.Lstat(s.path())
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, false, err
	}
	if there {
		err := s.transact(checking, func(t tx) (bool, error) { return false, t.check() })
		if !errors.Is(err, store.ErrDamaged) {
			return r, false, err
		}
	}
	if r, err = s.fill(ctx, progress); err != nil {
		return r, false, fmt.Errorf("rebuild the index: %w", err)
	}
	if there {
		r.Old = s.path() + ".damaged-" + time.Now().UTC().Format("20060102T150405.000000")
		if err := os.Link(s.path(), r.Old); err != nil {
			return r, false, fmt.Errorf("keep the damaged index: %w", err)
		}
	}
	if err := os.Rename(s.aside(), s.path()); err != nil {
		return r, false, err
	}
	return r, true, tree.SyncDir(s.tree.Index())
}

// fill makes the new index aside.
func (s *Store) fill(ctx context.Context, progress func(done, of int)) (r Rebuilt, err error) {
	ids, err := s.tree.Jobs()
	if err != nil {
		return r, err
	}
	db, err := newIndex(s.aside())
	if err != nil {
		return r, err
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	db.NoSync = true // until the end: nobody sees it before
	for from := 0; from < len(ids); from += rebuildBatch {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		batch := ids[from:min(from+rebuildBatch, len(ids))]
		err := db.Update(func(b *bbolt.Tx) error {
			t := tx{Tx: b, store: s}
			for _, id := range batch {
				j, env, err := s.salvage(id)
				if err != nil {
					r.Skipped = append(r.Skipped, Skipped{id, err})
					continue
				}
				if !j.Completed() {
					if err := t.Bucket(bucketEnv).Put([]byte(id), env); err != nil {
						return err
					}
				}
				if _, err := t.put(j, nil); err != nil {
					return err
				}
				if err := t.wasteReaped(j); err != nil {
					return err
				}
				r.Jobs++
			}
			return nil
		})
		if err != nil {
			return r, err
		}
		progress(from+len(batch), len(ids))
	}
	err = db.View(func(b *bbolt.Tx) error { return tx{Tx: b, store: s}.check() })
	if err == nil {
		err = db.Sync()
	}
	return r, err
}

// salvage reads a job from its files.
func (s *Store) salvage(id job.ID) (*job.Job, []byte, error) {
	j, err := s.tree.ReadState(id)
	if err != nil {
		return nil, nil, err
	}
	if j.ID != id || len(j.Runs) != j.RunCount {
		return nil, nil, fmt.Errorf("its state is that of job %q with %d of %d runs", j.ID, len(j.Runs), j.RunCount)
	}
	for i := range j.Runs {
		r := &j.Runs[i]
		if r.Active() || r.LogBytes > 0 {
			continue
		}
		// It ended under an older jobman.
		if r.LogBytes, err = s.tree.Run(job.Ref{ID: id, Run: r.N}).LogBytes(); err != nil {
			return nil, nil, err
		}
	}
	if j.Completed() {
		return j, nil, nil
	}
	env, err := s.tree.Env(id)
	return j, env, err
}

// wasteReaped puts output into the trash that is reaped and still there.
func (t tx) wasteReaped(j *job.Job) error {
	for i := range j.Runs {
		r := &j.Runs[i]
		if !j.Reaped(r) || r.LogBytes == 0 {
			continue
		}
		if _, err := os.Lstat(t.store.tree.Run(job.Ref{ID: j.ID, Run: r.N}).Logs()); err != nil {
			continue // mostly it is gone
		}
		if err := t.waste(j.ID, r.N); err != nil {
			return err
		}
	}
	return nil
}
