package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"jobman/job"
)

var (
	bucketMeta  = []byte("meta")
	bucketJobs  = []byte("jobs")
	bucketEnv   = []byte("env")
	bucketTrash = []byte("trash")
	bucketDue   = []byte("by_due")

	bucketOutput  = []byte("by_output")
	bucketEnd     = []byte("by_end")
	bucketAwaited = []byte("awaited")

	bucketByTime  = []byte("by_time")
	bucketByName  = []byte("by_name")
	bucketByGroup = []byte("by_group")
	indexes       = [3][]byte{bucketByTime, bucketByName, bucketByGroup} // as entry.keys

	buckets = [][]byte{bucketMeta, bucketJobs, bucketEnv, bucketTrash, bucketByTime, bucketByName, bucketByGroup, bucketDue,
		bucketOutput, bucketEnd, bucketAwaited}

	keySchema = []byte("schema")
	keyOutput = []byte("output")
	keyEnded  = []byte("ended")
)

// tx is a bbolt transaction that knows jobs.
type tx struct {
	*bbolt.Tx
	store *Store
}

func (t tx) jobs() *bbolt.Bucket { return t.Bucket(bucketJobs) }

// runsOf is the prefix of the keys of a job's runs.
func runsOf(id job.ID) []byte { return append([]byte(id), '/') }

func runKey(id job.ID, n int) []byte {
	return binary.BigEndian.AppendUint32(runsOf(id), uint32(n))
}

// document is a job as it is stored. Its bytes are valid in its transaction
// only, unless they are cloned.
type document struct {
	job  []byte
	runs [][]byte // in order
}

// load finds a job with at most n of its last runs, -1: all.
func (t tx) load(id job.ID, n int) (d document, found bool) {
	if d.job = t.jobs().Get([]byte(id)); d.job == nil {
		return d, false
	}
	for _, run := range backward(t.jobs().Cursor(), runsOf(id)) {
		if len(d.runs) == n {
			break
		}
		d.runs = append(d.runs, run)
	}
	slices.Reverse(d.runs)
	return d, true
}

func (d document) clone() document {
	c := document{job: bytes.Clone(d.job)}
	for _, run := range d.runs {
		c.runs = append(c.runs, bytes.Clone(run))
	}
	return c
}

func (d document) decode() (*job.Job, error) {
	j := new(job.Job)
	return j, d.into(j, j)
}

// brief decodes all but the Spec, and of that name and group.
func (d document) brief() (*job.Job, error) {
	j := new(job.Job)
	v := struct {
		*job.Job
		Spec struct {
			Name  string `json:"name"`
			Group string `json:"group"`
		} `json:"spec"` // hides the job's
	}{Job: j}
	err := d.into(&v, j)
	j.Spec.Name, j.Spec.Group = v.Spec.Name, v.Spec.Group
	return j, err
}

// into decodes the job into v, and the runs into j, which v is or holds.
func (d document) into(v any, j *job.Job) error {
	if err := json.Unmarshal(d.job, v); err != nil {
		return err
	}
	for _, run := range d.runs {
		var r job.Run
		if err := json.Unmarshal(run, &r); err != nil {
			return err
		}
		j.Runs = append(j.Runs, r)
	}
	return nil
}

// decode decodes a document; that it can't be decoded is damage.
func (s *Store) decode(d document) (*job.Job, error) {
	j, err := d.decode()
	if err != nil {
		return nil, s.unreadable(err)
	}
	return j, nil
}

func (s *Store) unreadable(err error) error { return s.damaged("a job can't be read: %v", err) }

// put stores a job with the runs that it carries; was is its entry until now,
// if it was there. It tells whether anything had to be written.
func (t tx) put(j *job.Job, was *entry) (changed bool, err error) {
	put := func(bucket *bbolt.Bucket, key, value []byte) error {
		if bytes.Equal(bucket.Get(key), value) {
			return nil
		}
		changed = true
		return bucket.Put(key, value)
	}
	b, err := json.Marshal(j)
	if err != nil {
		return false, fmt.Errorf("encode job %s: %w", j.ID, err)
	}
	if err := put(t.jobs(), []byte(j.ID), b); err != nil {
		return changed, err
	}
	if was != nil && j.ReapedRuns > was.reaped {
		if err := t.reapTo(j.ID, was.reaped, j.ReapedRuns); err != nil {
			return changed, err
		}
	}
	for i := range j.Runs {
		key := runKey(j.ID, j.Runs[i].N)
		if b, err = json.Marshal(&j.Runs[i]); err != nil {
			return changed, fmt.Errorf("encode a run of %s: %w", j.ID, err)
		}
		before := t.jobs().Get(key)
		if bytes.Equal(before, b) {
			continue
		}
		if err := t.bookRun(j.ID, before, &j.Runs[i], j.ReapedRuns); err != nil {
			return changed, err
		}
		changed = true
		if err := t.jobs().Put(key, b); err != nil {
			return changed, err
		}
	}
	if !changed {
		return false, nil
	}
	now := newEntry(j)
	if err := t.bookEnd(was, &now); err != nil {
		return changed, err
	}
	if err := t.putAwaited(was, &now); err != nil {
		return changed, err
	}
	var before [3][]byte
	if was != nil {
		before = was.keys()
	}
	value := now.value()
	for i, key := range now.keys() {
		index := t.Bucket(indexes[i])
		if was != nil && !bytes.Equal(before[i], key) {
			if err := index.Delete(before[i]); err != nil {
				return changed, err
			}
		}
		if err := put(index, key, value); err != nil {
			return changed, err
		}
	}
	var due []byte
	if was != nil {
		due = was.dueKey()
	}
	if key := now.dueKey(); !bytes.Equal(key, due) {
		if due != nil {
			if err := t.Bucket(bucketDue).Delete(due); err != nil {
				return changed, err
			}
		}
		if key != nil {
			if err := t.Bucket(bucketDue).Put(key, nil); err != nil {
				return changed, err
			}
		}
	}
	if now.done {
		err = t.Bucket(bucketEnv).Delete([]byte(j.ID))
	}
	return changed, err
}
