package bolt

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"jobman/job"
)

// Check reads the whole index, and returns what is wrong with it: damaged
// pages, jobs and indexes that disagree.
func (s *Store) Check(ctx context.Context) error {
	// bbolt checks in a goroutine of its own, where faults are not caught: all
	// that it will read has been read here by then.
	return s.viewWith(ctx, checking, tx.check)
}

var checking = bbolt.Options{ReadOnly: true, PreLoadFreelist: true}

func (t tx) check() error {
	problems := t.checkJobs()
	if err := t.checkIndexes(); err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, t.checkBooks()...)
	problems = append(problems, t.checkOutbox()...)
	if len(problems) == 0 {
		for err := range t.Check() {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return t.store.damaged("%d problems, the first: %v", len(problems), problems[0])
	}
	return nil
}

// checkJobs finds jobs that are not in the indexes as they should be, runs that
// belong to none, environments that are missing or left over.
func (t tx) checkJobs() (problems []error) {
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	var j *job.Job
	runs := 0
	active, due := 0, 0
	for k, v := range all(t.jobs()) {
		if id, _, isRun := bytes.Cut(k, []byte("/")); isRun {
			d := document{job: []byte("{}"), runs: [][]byte{v}}
			r, err := d.decode()
			switch {
			case err != nil:
				wrong("a run of %s: %w", id, err)
			case j == nil || string(id) != string(j.ID):
				wrong("a run of job %s, which is not there", id)
			case !bytes.Equal(k, runKey(j.ID, r.Runs[0].N)):
				wrong("run %d of job %s is in another's place", r.Runs[0].N, id)
			}
			runs++
			continue
		}
		var err error
		if j, err = (document{job: v}).decode(); err != nil {
			wrong("job %s: %w", k, err)
			continue
		}
		if string(k) != string(j.ID) {
			wrong("job %s is in the place of %s", j.ID, k)
		}
		e := newEntry(j)
		for i, key := range e.keys() {
			if !bytes.Equal(t.Bucket(indexes[i]).Get(key), e.value()) {
				wrong("%s does not hold job %s as it is", indexes[i], k)
			}
		}
		if key := e.dueKey(); key != nil {
			due++
			if b := t.Bucket(bucketDue); b != nil && b.Get(key) == nil {
				wrong("%s does not hold job %s", bucketDue, k)
			}
		}
		env := t.Bucket(bucketEnv).Get(k)
		if j.Completed() != (env == nil) {
			wrong("job %s: completed %t, environment %t", k, j.Completed(), env != nil)
		}
		if env != nil {
			active++
		}
	}
	if b := t.Bucket(bucketDue); b != nil && count(b) != due {
		wrong("%s has %d entries for %d jobs", bucketDue, count(b), due)
	}
	if n := count(t.Bucket(bucketEnv)); n != active {
		wrong("%d environments for %d active jobs", n, active)
	}
	return problems
}

// checkIndexes finds entries of jobs that are not there: each job is known to
// have its own.
func (t tx) checkIndexes() error {
	jobs := 0
	for k := range all(t.jobs()) {
		if !bytes.Contains(k, []byte("/")) {
			jobs++
		}
	}
	for _, index := range indexes {
		if n := count(t.Bucket(index)); n != jobs {
			return fmt.Errorf("%s has %d entries for %d jobs", index, n, jobs)
		}
	}
	return nil
}

func count(b *bbolt.Bucket) (n int) {
	for range all(b) {
		n++
	}
	return n
}

// all walks a bucket.
func all(b *bbolt.Bucket) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}
