package bolt

import (
	"context"
	"fmt"

	"jobman/job"
)

// Import adds many jobs in one transaction; env is the environment of those that
// are incomplete. It leaves the mirror alone.
func (s *Store) Import(ctx context.Context, jobs []*job.Job, env []byte) error {
	there, err := s.exists()
	if err == nil && !there {
		err = s.create(ctx)
	}
	if err != nil {
		return err
	}
	return s.update(ctx, func(t tx) (bool, error) {
		for _, j := range jobs {
			if _, ok := t.load(j.ID, 0); ok {
				return false, fmt.Errorf("job %s exists already", j.ID)
			}
			if !j.Completed() {
				if err := t.Bucket(bucketEnv).Put([]byte(j.ID), env); err != nil {
					return false, err
				}
			}
			if _, err := t.put(j, nil); err != nil {
				return false, err
			}
		}
		return len(jobs) > 0, nil
	}, func() {})
}
