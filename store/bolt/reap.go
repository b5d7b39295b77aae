package bolt

import (
	"context"
	"encoding/json"
	"fmt"

	"jobman/job"
)

// reapAtMost is how many jobs, and how many runs, are reaped in one transaction
// beside those that are named: it keeps submissions waiting.
const reapAtMost = 100

// Reap deletes output of completed runs; see store.Store.
func (s *Store) Reap(ctx context.Context, ids []job.ID, keep job.Retention) (more bool, err error) {
	var left, reaped waste
	var jobs []*job.Job
	runs := map[job.Ref]*job.Run{}
	err = s.update(ctx, func(t tx) (bool, error) {
		var forgot bool
		if left, forgot, err = t.emptyTrash(reapAtMost); err != nil {
			return false, err
		}
		reapJobs := func(ids []job.ID) error {
			for _, id := range ids {
				j, gone, err := t.reapJob(id)
				if err != nil {
					return err
				}
				if j != nil {
					jobs = append(jobs, j)
				}
				reaped = append(reaped, gone...)
			}
			return nil
		}
		if err := reapJobs(ids); err != nil {
			return false, err
		}
		excessJobs := keep.ExcessJobs(int(t.number(keyEnded)), t.ended(), reapAtMost)
		if err := reapJobs(excessJobs); err != nil {
			return false, err
		}
		excessRuns := keep.ExcessRuns(t.number(keyOutput), t.outputs(), reapAtMost)
		more = len(excessJobs) == reapAtMost || len(excessRuns) == reapAtMost
		for _, ref := range excessRuns {
			r, err := t.reapRun(ref)
			if err != nil {
				return false, err
			}
			runs[ref] = r
			reaped = append(reaped, ref)
		}
		return forgot || len(jobs) > 0 || len(runs) > 0, nil
	}, func() {
		for _, j := range jobs {
			s.mirror(j)
		}
		for ref, r := range runs {
			// Not the job's own file: what a run that is under way has noted in it is newer.
			if err := s.tree.WriteRun(ref.ID, r); err != nil {
				s.log(fmt.Errorf("write the state of run %d of job %s: %w", ref.Run, ref.ID, err))
			}
		}
	})
	if err != nil {
		return false, err
	}
	s.remove(append(left, reaped...))
	return more || len(left) == reapAtMost, nil
}

// reapJob takes a completed job's output off the books; nil where there is nothing to
// be done.
func (t tx) reapJob(id job.ID) (*job.Job, waste, error) {
	d, ok := t.load(id, 0)
	if !ok {
		return nil, nil, nil
	}
	j, err := t.store.decode(d)
	if err != nil {
		return nil, nil, err
	}
	if !j.Completed() || j.ReapedRuns >= j.RunCount {
		return nil, nil, nil
	}
	was := newEntry(j)
	j.ReapedRuns = j.RunCount
	_, err = t.put(j, &was)
	return j, was.wasted(j), err
}

// reapRun takes a run's output off the books.
func (t tx) reapRun(ref job.Ref) (*job.Run, error) {
	key := runKey(ref.ID, ref.Run)
	was := t.jobs().Get(key)
	r := new(job.Run)
	if was == nil {
		return nil, t.store.damaged("run %d of job %s is in %s only", ref.Run, ref.ID, bucketOutput)
	}
	if err := json.Unmarshal(was, r); err != nil {
		return nil, t.store.unreadable(err)
	}
	// A run that is on the books is not below its job's ReapedRuns.
	r.Reaped = true
	if err := t.bookRun(ref.ID, was, r, 0); err != nil {
		return nil, err
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return r, t.jobs().Put(key, b)
}
