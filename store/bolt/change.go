package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"jobman/job"
	"jobman/store"
)

// Submit adds a job; see store.Store.
func (s *Store) Submit(ctx context.Context, j *job.Job, env []byte, unique bool) error {
	return s.submit(ctx, []*job.Job{j}, [][]byte{env}, unique)
}

// SubmitAll adds many jobs; see store.Store.
func (s *Store) SubmitAll(ctx context.Context, jobs []*job.Job, envs [][]byte) error {
	return s.submit(ctx, jobs, envs, false)
}

func (s *Store) submit(ctx context.Context, jobs []*job.Job, envs [][]byte, unique bool) error {
	for _, j := range jobs {
		if !job.IsID(string(j.ID)) {
			return fmt.Errorf("%q is not a job's id", j.ID)
		}
	}
	there, err := s.exists()
	if err != nil {
		return err
	}
	if !there {
		if err := s.create(ctx); err != nil {
			return err
		}
	}
	return s.update(ctx, func(t tx) (bool, error) {
		for i, j := range jobs {
			if err := t.add(j, envs[i], unique); err != nil {
				return false, err
			}
		}
		return len(jobs) > 0, nil
	}, func() {
		for i, j := range jobs {
			if err := s.tree.WriteJob(j.ID, &j.Spec, envs[i]); err != nil {
				s.log(fmt.Errorf("write the files of job %s: %w", j.ID, err))
			}
			s.mirror(j)
		}
	})
}

// add adds a job that is not there yet.
func (t tx) add(j *job.Job, env []byte, unique bool) error {
	if _, ok := t.load(j.ID, 0); ok {
		return fmt.Errorf("job %s exists already", j.ID)
	}
	if unique {
		in, err := t.scan(bucketByName, hash(j.Spec.Name), &store.Filter{Active: true, Name: j.Spec.Name})
		if err != nil {
			return err
		}
		if len(in) > 0 {
			return &store.ActiveError{ID: in[0].id}
		}
	}
	// What a job of this id left behind is its own now.
	if err := t.Bucket(bucketTrash).Delete([]byte(j.ID)); err != nil {
		return err
	}
	if !j.Completed() {
		if err := t.Bucket(bucketEnv).Put([]byte(j.ID), env); err != nil {
			return err
		}
	}
	_, err := t.put(j, nil)
	return err
}

func (s *Store) mirror(j *job.Job) {
	if err := s.tree.WriteState(j); err != nil {
		s.log(fmt.Errorf("write the state of job %s: %w", j.ID, err))
	}
}

// Update changes jobs; see store.Store.
func (s *Store) Update(ctx context.Context, ids []job.ID, change func(*job.Job) error) error {
	var changed []*job.Job
	return s.update(ctx, func(t tx) (bool, error) {
		for _, id := range distinct(ids) {
			d, ok := t.load(id, 1)
			if !ok {
				continue
			}
			j, err := s.decode(d)
			if err != nil {
				return false, err
			}
			was := newEntry(j)
			err = guard(change, j)
			if errors.Is(err, store.ErrUnchanged) {
				continue
			}
			if err != nil {
				return false, err
			}
			if j.ID != id {
				return false, fmt.Errorf("job %s can't become %s", id, j.ID)
			}
			wrote, err := t.put(j, &was)
			if err != nil {
				return false, err
			}
			if wrote {
				changed = append(changed, j)
			}
		}
		return len(changed) > 0, nil
	}, func() {
		for _, j := range changed {
			s.mirror(j)
		}
	})
}

func guard(change func(*job.Job) error, j *job.Job) error {
	defer protect()
	return change(j)
}

// distinct returns the ids, each once, in order.
func distinct(ids []job.ID) []job.ID {
	seen := make(map[job.ID]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id job.ID) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

// Delete removes completed jobs; see store.Store. Their files are removed when
// they are gone from the index, and those that a Delete before left behind
// because it was killed.
func (s *Store) Delete(ctx context.Context, ids []job.ID) (deleted []job.ID, err error) {
	var trash []job.ID
	err = s.update(ctx, func(t tx) (bool, error) {
		emptied := false
		trash, emptied, err = t.emptyTrash()
		if err != nil {
			return false, err
		}
		for _, id := range distinct(ids) {
			ok, err := t.remove(id)
			if err != nil {
				return false, err
			}
			if ok {
				deleted = append(deleted, id)
			}
		}
		return emptied || len(deleted) > 0, nil
	}, func() {})
	if err != nil {
		return nil, err
	}
	// Nobody writes these files any more, so nobody need wait for this.
	for _, id := range append(trash, deleted...) {
		if err := s.tree.RemoveJob(id); err != nil {
			s.log(fmt.Errorf("remove the files of job %s: %w", id, err))
		}
	}
	return deleted, nil
}

// remove moves a completed job to the trash.
func (t tx) remove(id job.ID) (bool, error) {
	d, ok := t.load(id, 0)
	if !ok {
		return false, nil
	}
	j, err := t.store.decode(d)
	if err != nil {
		return false, err
	}
	if !j.Completed() {
		return false, nil
	}
	e := newEntry(j)
	for i, key := range e.keys() {
		if err := t.Bucket(indexes[i]).Delete(key); err != nil {
			return false, err
		}
	}
	keys := [][]byte{[]byte(id)}
	c := t.jobs().Cursor()
	for k, _ := c.Seek(runsOf(id)); bytes.HasPrefix(k, runsOf(id)); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := t.jobs().Delete(k); err != nil {
			return false, err
		}
	}
	return true, t.Bucket(bucketTrash).Put([]byte(id), nil)
}

// emptyTrash forgets the jobs whose files are gone and returns the others.
func (t tx) emptyTrash() (left []job.ID, forgot bool, err error) {
	var gone [][]byte
	err = t.Bucket(bucketTrash).ForEach(func(k, _ []byte) error {
		if _, err := os.Lstat(t.store.tree.Job(job.ID(k))); errors.Is(err, os.ErrNotExist) {
			gone = append(gone, k)
		} else {
			left = append(left, job.ID(k))
		}
		return nil
	})
	for _, k := range gone {
		if err == nil {
			err = t.Bucket(bucketTrash).Delete(k)
		}
	}
	return left, len(gone) > 0, err
}
