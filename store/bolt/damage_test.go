package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
	"jobman/store/storetest"
)

// repeatable returns the same job whenever it is called with the same number.
func repeatable(i int) *job.Job {
	j := storetest.Job("name", "group")
	j.ID = job.ID(fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i+1)*2654435761, i)) // spread
	j.SubmittedAt = time.Unix(int64(i), 0).UTC()
	j.Runs[0].IntendedAt = j.SubmittedAt
	if i%2 == 1 {
		storetest.Complete(j, job.Success)
		j.StoppedAt, j.Runs[0].StoppedAt = j.SubmittedAt, j.SubmittedAt
	}
	return j
}

// filled returns a store with many jobs, made in one commit, and its index.
func filled(t testing.TB, n int) (s *Store, ids []job.ID, index []byte) {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), ".db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.create(context.Background()); err != nil {
		t.Fatal(err)
	}
	err = s.update(context.Background(), func(t tx) (bool, error) {
		for i := range n {
			j := repeatable(i)
			if !j.Completed() {
				if err := t.Bucket(bucketEnv).Put([]byte(j.ID), make([]byte, 100*(i%90))); err != nil {
					return false, err
				}
			}
			if _, err := t.put(j, nil); err != nil {
				return false, err
			}
			ids = append(ids, j.ID)
		}
		return true, nil
	}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if index, err = os.ReadFile(s.path()); err != nil {
		t.Fatal(err)
	}
	return s, ids, index
}

func overwrite(t *testing.T, s *Store, index []byte) {
	t.Helper()
	if err := os.WriteFile(s.path(), index, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedIndexIsToldAndLeftAlone(t *testing.T) {
	s, ids, index := filled(t, 300)
	page := os.Getpagesize()
	used := 0
	if err := s.view(t.Context(), func(t tx) error { used = int(t.Size()); return nil }); err != nil {
		t.Fatal(err)
	}
	zeroed := func(from, to int) []byte {
		b := bytes.Clone(index)
		clear(b[from:to])
		return b
	}
	for name, damaged := range map[string][]byte{
		"emptied":                 {},
		"cut to a byte":           index[:1],
		"cut to a page":           index[:page],
		"cut to the meta pages":   index[:2*page],
		"cut in half":             index[:used/2],
		"cut by a byte":           index[:used-1],
		"all zeros":               make([]byte, len(index)),
		"zeros for meta pages":    zeroed(0, 2*page),
		"zeros after meta pages":  zeroed(2*page, len(index)),
		"garbage":                 bytes.Repeat([]byte("garbage!"), len(index)/8),
		"another file":            []byte("#!/bin/sh\necho I am no index\n"),
		"another program's bbolt": foreign(t),
	} {
		t.Run(name, func(t *testing.T) {
			overwrite(t, s, damaged)
			for _, o := range operations(t, s, ids[0]) {
				err := o.do()
				if err == nil || !strings.Contains(err.Error(), "damaged") ||
					!strings.Contains(err.Error(), "jobman doctor --rebuild") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v", o.name, err)
				}
			}
			if bytesOf(t, s) != string(damaged) {
				t.Error("the index was changed")
			}
		})
	}
	overwrite(t, s, index)
	check(t, s)
}

// foreign returns a good bbolt file that no jobman made.
func foreign(t *testing.T) []byte {
	t.Helper()
	s, _, _ := filled(t, 0)
	err := s.update(t.Context(), func(t tx) (bool, error) { return true, t.DeleteBucket(bucketMeta) }, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return []byte(bytesOf(t, s))
}

func TestALostIndexIsNotReplacedByAnEmptyOne(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), ".db"))
	j := storetest.Job("name", "group")
	submit(t, s, j)
	if err := os.Remove(s.path()); err != nil {
		t.Fatal(err)
	}
	for _, o := range operations(t, s, j.ID) {
		if err := o.do(); err == nil || !strings.Contains(err.Error(), "jobman doctor --rebuild") {
			t.Errorf("%s: %v", o.name, err)
		}
	}
	if _, err := os.Lstat(s.path()); err == nil {
		t.Error("there is an index again")
	}
}

// TestAnyDamageIsAnError damages the index at places that are random, but the
// same each time: whatever can still be read stays readable, whatever is done.
// DAMAGE_FROM and DAMAGE_COUNT choose other cases. Some of many thousands fail:
// where a sound page holds a wrong key or free list, bbolt can't know.
func TestAnyDamageIsAnError(t *testing.T) {
	t.Parallel()
	s, ids, index := filled(t, 80)
	told := 0
	from, count := number("DAMAGE_FROM", 0), number("DAMAGE_COUNT", 40)
	for seed := from; seed < from+count; seed++ {
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		overwrite(t, s, damage(r, index))
		before := readable(t, s, ids)
		if err := s.Check(t.Context()); err != nil {
			told++
		} else if len(before) != len(ids) {
			t.Errorf("DAMAGE_FROM=%d: Check found nothing, but %d jobs can't be read", seed, len(ids)-len(before))
		}
		victim := ids[r.IntN(len(ids))]
		for _, o := range operations(t, s, victim) {
			_ = o.do() // may fail, must return
		}
		after := readable(t, s, ids)
		for id, j := range before {
			if id != victim && !reflect.DeepEqual(after[id], j) {
				t.Errorf("DAMAGE_FROM=%d: job %s was readable before", seed, id)
			}
		}
	}
	t.Logf("%d of %d cases were found by Check", told, count)
}

// number is an environment variable, or what holds without it.
func number(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

// damage overwrites some bytes behind the meta pages, or cuts the file.
func damage(r *rand.Rand, index []byte) []byte {
	b := bytes.Clone(index)
	meta := 2 * os.Getpagesize()
	at := meta + r.IntN(len(b)-meta)
	n := min(1<<r.IntN(14), len(b)-at)
	switch r.IntN(4) {
	case 0:
		return b[:at]
	case 1:
		clear(b[at : at+n])
	case 2:
		for i := range n {
			b[at+i] = byte(r.Uint32())
		}
	case 3: // a page in the place of another
		page := os.Getpagesize()
		pages := len(b) / page
		copy(b[(2+r.IntN(pages-2))*page:][:page], b[(2+r.IntN(pages-2))*page:])
	}
	return b
}

func readable(t *testing.T, s *Store, ids []job.ID) map[job.ID]*job.Job {
	jobs := map[job.ID]*job.Job{}
	for _, id := range ids {
		if j, err := s.Get(t.Context(), id, -1); err == nil {
			jobs[id] = j
		} else if !errors.Is(err, store.ErrNotFound) && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %v", err)
		}
	}
	return jobs
}
