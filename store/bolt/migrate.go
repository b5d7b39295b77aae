package bolt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	var b books
	for k, v := range all(t.jobs()) {
		id, _, isRun := bytes.Cut(k, []byte("/"))
		if !isRun {
			var err error
			if j, err = (document{job: v}).brief(); err != nil {
				return t.store.unreadable(err)
			}
			now := newEntry(j)
			if key := now.endKey(); key != nil {
				b.ended = append(b.ended, string(key))
			}
			for _, id := range now.awaits {
				b.awaited = append(b.awaited, string(awaitedKey(id, j.ID)))
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
		var err error
		if r.LogBytes, err = t.store.tree.Run(job.Ref{ID: j.ID, Run: r.N}).LogBytes(); err != nil {
			return fmt.Errorf("take the size of output: %w", err)
		}
		if key := outputKey(j.ID, &r, j.ReapedRuns); key != nil {
			b.outputs = append(b.outputs, printed{string(key), string(k), r})
		}
	}
	return t.putBooks(b)
}

// books are what migrate enters.
type books struct {
	ended, awaited []string // keys
	outputs        []printed
}

// printed is a run that has output: its keys in by_output and in jobs.
type printed struct {
	key, run string
	job.Run
}

// putBooks enters them in the order of the keys: bbolt moves all that comes after a
// key that is added, however many there are.
func (t tx) putBooks(b books) error {
	slices.Sort(b.ended)
	slices.Sort(b.awaited)
	slices.SortFunc(b.outputs, func(a, b printed) int { return strings.Compare(a.key, b.key) })
	for _, key := range b.ended {
		if err := t.Bucket(bucketEnd).Put([]byte(key), nil); err != nil {
			return err
		}
	}
	for _, key := range b.awaited {
		if err := t.Bucket(bucketAwaited).Put([]byte(key), nil); err != nil {
			return err
		}
	}
	for _, p := range b.outputs {
		run, err := json.Marshal(&p.Run)
		if err != nil {
			return err
		}
		if err := t.jobs().Put([]byte(p.run), run); err != nil {
			return err
		}
		if err := t.book([]byte(p.key), p.LogBytes, true); err != nil {
			return err
		}
	}
	return t.addTo(keyEnded, int64(len(b.ended)))
}

// added is how many of the buckets, from the last, came after a schema.
var added = [schema]int{1: 4, 2: 3}
