package bolt

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"jobman/job"
	"jobman/store"
)

// Get returns a job, or store.ErrNotFound.
func (s *Store) Get(ctx context.Context, id job.ID, runs int) (*job.Job, error) {
	var d document
	found := false
	err := s.view(ctx, func(t tx) error {
		d, found = t.load(id, runs)
		d = d.clone()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, store.ErrNotFound
	}
	return s.decode(d)
}

// Env returns the environment of an incomplete job, or store.ErrNotFound.
func (s *Store) Env(ctx context.Context, id job.ID) (env []byte, err error) {
	err = s.view(ctx, func(t tx) error {
		env = bytes.Clone(t.Bucket(bucketEnv).Get([]byte(id)))
		return nil
	})
	if err == nil && env == nil {
		err = store.ErrNotFound
	}
	return env, err
}

// Query returns the jobs that meet the filter. They are decoded when the
// transaction is over, so that a long list does not keep writers waiting.
func (s *Store) Query(ctx context.Context, f store.Filter) ([]*job.Job, error) {
	for _, glob := range f.Globs {
		if _, err := path.Match(glob, ""); err != nil {
			return nil, fmt.Errorf("pattern %q: %w", glob, err)
		}
	}
	runs := f.Runs
	if runs == 0 {
		runs = 1
	}
	var documents []document
	err := s.view(ctx, func(t tx) error {
		found, err := t.find(&f)
		if err != nil {
			return err
		}
		for _, e := range found {
			d, ok := t.load(e.id, runs)
			if !ok {
				return s.damaged("job %s is in an index only", e.id)
			}
			documents = append(documents, d.clone())
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	jobs := make([]*job.Job, len(documents))
	for i, d := range documents {
		if f.Brief {
			jobs[i], err = d.brief()
		} else {
			jobs[i], err = d.decode()
		}
		if err != nil {
			return nil, s.unreadable(err)
		}
	}
	return jobs, nil
}

// find returns the entries that meet the filter, newest first, by way of the
// narrowest index.
func (t tx) find(f *store.Filter) (found []entry, err error) {
	switch {
	case !f.Due.IsZero():
		found, err = t.due(f)
	case f.ID != "":
		found, err = t.withPrefix(string(f.ID), f)
	case f.IDPrefix != "":
		found, err = t.withPrefix(f.IDPrefix, f)
	case f.Name != "":
		found, err = t.scan(bucketByName, hash(f.Name), f)
	case len(f.Groups) > 0:
		hashes := make([][]byte, len(f.Groups))
		for i, g := range f.Groups {
			hashes[i] = hash(g)
		}
		slices.SortFunc(hashes, bytes.Compare)
		for _, h := range slices.CompactFunc(hashes, bytes.Equal) {
			part, err := t.scan(bucketByGroup, h, f)
			if err != nil {
				return nil, err
			}
			found = append(found, part...)
		}
	default:
		found, err = t.scan(bucketByTime, nil, f)
	}
	slices.SortFunc(found, entry.compare)
	return limit(found, f.Limit), err
}

// limit keeps all active entries and the first n others, 0: all.
func limit(found []entry, n int) []entry {
	if n <= 0 {
		return found
	}
	return slices.DeleteFunc(found, func(e entry) bool {
		if e.done {
			n--
		}
		return e.done && n < 0
	})
}

// due finds the jobs of which something is due.
func (t tx) due(f *store.Filter) (found []entry, err error) {
	b := t.Bucket(bucketDue)
	if b == nil {
		return nil, nil // schema 1
	}
	limit := timeKey(f.Due.UnixMicro())
	c := b.Cursor()
	for k, _ := c.First(); k != nil && bytes.Compare(k[:len(limit)], limit) <= 0; k, _ = c.Next() {
		d, ok := t.load(job.ID(k[len(limit):]), 0)
		if !ok {
			return nil, t.store.damaged("job %s is in an index only", k[len(limit):])
		}
		j, err := t.store.decode(d)
		if err != nil {
			return nil, err
		}
		if e := newEntry(j); t.meets(&e, f) {
			found = append(found, e)
		}
	}
	return found, nil
}

// withPrefix finds jobs by the beginning of their id.
func (t tx) withPrefix(prefix string, f *store.Filter) (found []entry, err error) {
	c := t.jobs().Cursor()
	k, v := c.Seek([]byte(prefix))
	for bytes.HasPrefix(k, []byte(prefix)) && job.IsID(string(k)) && (f.Newest == 0 || len(found) < f.Newest) {
		id := job.ID(k)
		j, err := t.store.decode(document{job: v})
		if err != nil {
			return nil, err
		}
		if e := newEntry(j); t.meets(&e, f) {
			found = append(found, e)
		}
		k, v = c.Seek(append(runsOf(id), "\xff\xff\xff\xff\xff"...)) // the next job
	}
	return found, nil
}

// scan walks an index from the newest entry to the oldest, no further than the
// filter's limit asks for.
func (t tx) scan(index, hash []byte, f *store.Filter) (found []entry, err error) {
	for _, done := range []bool{false, true} {
		if f.Active != f.Done && f.Done != done {
			continue
		}
		n := 0
		for k, v := range backward(t.Bucket(index).Cursor(), append(bytes.Clone(hash), side(done))) {
			if done && f.Limit > 0 && n == f.Limit || f.Newest > 0 && n == f.Newest {
				break
			}
			e, err := readEntry(k[len(hash):], v)
			if err != nil {
				return nil, t.store.damaged("%s: %v", index, err)
			}
			if t.meets(&e, f) {
				found = append(found, e)
				n++
			}
		}
	}
	return found, nil
}

// meets tells whether the filter selects an entry.
func (t tx) meets(e *entry, f *store.Filter) bool {
	return (f.ID == "" || e.id == f.ID) &&
		strings.HasPrefix(string(e.id), f.IDPrefix) &&
		(f.Active == f.Done || f.Done == e.done) &&
		(len(f.Results) == 0 || e.done && slices.Contains(f.Results, e.result)) &&
		(len(f.Groups) == 0 || slices.Contains(f.Groups, e.group)) &&
		(f.Name == "" || t.name(e) == f.Name) &&
		(len(f.Globs) == 0 || slices.ContainsFunc(f.Globs, func(glob string) bool {
			ok, _ := path.Match(glob, t.name(e))
			return ok
		}))
}

// name returns the name of an entry, also where it is a long one.
func (t tx) name(e *entry) string {
	if !e.long || e.name != "" {
		return e.name
	}
	if d, ok := t.load(e.id, 0); ok {
		if j, err := d.decode(); err == nil {
			e.name = j.Spec.Name
		}
	}
	return e.name
}

// backward walks the keys with a prefix from the last to the first. It must not
// be used on a bucket that the same transaction deleted from: going backward, a
// bbolt cursor takes a page that was emptied for the beginning.
func backward(c *bbolt.Cursor, prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		// No key goes on with that many of these: not an id, a time or a count.
		end, _ := c.Seek(append(bytes.Clone(prefix), bytes.Repeat([]byte{0xff}, 9)...))
		step := c.Prev
		if end == nil {
			step = c.Last
		}
		k, v := step()
		for ; k != nil && bytes.HasPrefix(k, prefix); k, v = c.Prev() {
			if !yield(k, v) {
				return
			}
		}
	}
}
