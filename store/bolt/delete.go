package bolt

import (
	"bytes"
	"context"

	"jobman/job"
)

// Delete removes completed jobs; see store.Store. Their files are removed when
// they are gone from the index, and what one before left behind because it was
// killed.
func (s *Store) Delete(ctx context.Context, ids []job.ID) (deleted []job.ID, err error) {
	var trash waste
	err = s.update(ctx, func(t tx) (bool, error) {
		emptied := false
		trash, emptied, err = t.emptyTrash(-1)
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
	for _, id := range deleted {
		trash = append(trash, job.Ref{ID: id})
	}
	s.remove(trash)
	return deleted, nil
}

// remove moves a completed job that nobody waits for to the trash.
func (t tx) remove(id job.ID) (bool, error) {
	d, ok := t.load(id, 0)
	if !ok || t.awaited(id) {
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
	if err := t.reapTo(id, j.ReapedRuns, j.RunCount); err != nil {
		return false, err
	}
	if err := t.bookEnd(&e, &entry{}); err != nil {
		return false, err
	}
	if err := t.reclaim(id); err != nil { // all of it goes with the job
		return false, err
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
	if err := t.untell(id); err != nil {
		return false, err
	}
	return true, t.Bucket(bucketTrash).Put([]byte(id), nil)
}
