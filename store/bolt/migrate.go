package bolt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"jobman/job"
)

// migrate brings an index of an older schema up to date. Schema 1 had no by_due, and
// its jobs waited for nothing; schema 2 kept no books of output, so the sizes are
// taken from the files.
func (t tx) migrate(version int) error {
	for _, name := range buckets[len(buckets)-added[version]:] {
		if _, err := t.CreateBucket(name); err != nil {
			return err
		}
	}
	if err := t.Bucket(bucketMeta).Put(keySchema, strconv.AppendInt(nil, schema, 10)); err != nil {
		return err
	}
	var j *job.Job
	sized := map[string][]byte{} // runs, as they are to be
	for k, v := range all(t.jobs()) {
		id, _, isRun := bytes.Cut(k, []byte("/"))
		if !isRun {
			var err error
			if j, err = t.store.decode(document{job: v}); err != nil {
				return err
			}
			now := newEntry(j)
			if err := t.bookEnd(nil, &now); err != nil {
				return err
			}
			if err := t.putAwaited(nil, &now); err != nil {
				return err
			}
			continue
		}
		var r job.Run
		if err := json.Unmarshal(v, &r); err != nil || j == nil || string(id) != string(j.ID) {
			return t.store.damaged("a run of job %s can't be read", id)
		}
		if r.Active() {
			continue
		}
		size, err := t.store.tree.Run(job.Ref{ID: j.ID, Run: r.N}).LogBytes()
		if err != nil {
			return fmt.Errorf("take the size of output: %w", err)
		}
		if size == 0 {
			continue
		}
		r.LogBytes = size
		if err := t.bookRun(j.ID, v, &r, j.ReapedRuns); err != nil {
			return err
		}
		if sized[string(k)], err = json.Marshal(&r); err != nil {
			return err
		}
	}
	for k, v := range sized {
		if err := t.jobs().Put([]byte(k), v); err != nil {
			return err
		}
	}
	return nil
}

// added is how many of the buckets, from the last, came after a schema.
var added = [schema]int{1: 4, 2: 3}
