package bolt

import (
	"context"

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
			if err := t.add(j, env, false); err != nil {
				return false, err
			}
		}
		return len(jobs) > 0, nil
	}, func() {})
}
