package bolt

import (
	"context"
	"errors"
	"fmt"
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
	for _, id := range j.Awaiting() {
		if t.jobs().Get([]byte(id)) == nil {
			return fmt.Errorf("job %s, which it waits for: %w", id, store.ErrNotFound)
		}
	}
	if err := t.reclaim(j.ID); err != nil {
		return err
	}
	if !j.Completed() {
		if err := t.Bucket(bucketEnv).Put([]byte(j.ID), env); err != nil {
			return err
		}
	}
	if _, err := t.put(j, nil); err != nil {
		return err
	}
	return t.tell(&job.Job{ID: j.ID}, j)
}

func (s *Store) mirror(j *job.Job) {
	if err := s.tree.WriteState(j); err != nil {
		s.log(fmt.Errorf("write the state of job %s: %w", j.ID, err))
	}
}

// Update changes jobs; see store.Store.
func (s *Store) Update(ctx context.Context, ids []job.ID, change func(*job.Job) error) error {
	var changed []*job.Job
	var reaped waste
	err := s.update(ctx, func(t tx) (bool, error) {
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
			before := j
			if len(j.Callbacks) > 0 { // change changes what it gets
				if before, err = s.decode(d); err != nil {
					return false, err
				}
			}
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
			if err := t.tell(before, j); err != nil {
				return false, err
			}
			if wrote {
				changed = append(changed, j)
				reaped = append(reaped, was.wasted(j)...)
			}
		}
		if len(reaped) > 0 {
			if _, _, err := t.emptyTrash(tidyAtMost); err != nil {
				return false, err
			}
		}
		return len(changed) > 0, nil
	}, func() {
		for _, j := range changed {
			s.mirror(j)
		}
	})
	if err == nil {
		s.remove(reaped)
	}
	return err
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
