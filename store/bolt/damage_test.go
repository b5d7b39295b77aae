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
			j := storetest.Job("name", "group")
			j.ID = job.ID(fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i+1)*2654435761, i)) // spread, but repeatable
			j.SubmittedAt = time.Unix(int64(i), 0).UTC()
			if i%2 == 0 {
				storetest.Complete(j, job.Success)
			} else if err := t.Bucket(bucketEnv).Put([]byte(j.ID), make([]byte, 100*(i%90))); err != nil {
				return false, err
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
			for name, do := range operations(t, s, ids[0]) {
				err := do()
				if err == nil || !strings.Contains(err.Error(), "damaged") ||
					!strings.Contains(err.Error(), "jobman doctor --rebuild") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v", name, err)
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
	for name, do := range operations(t, s, j.ID) {
		if err := do(); err == nil || !strings.Contains(err.Error(), "jobman doctor --rebuild") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Lstat(s.path()); err == nil {
		t.Error("there is an index again")
	}
}

// TestAnyDamageIsAnError damages the index at random places: whatever can still
// be read stays readable, whatever is done. DAMAGE_SEED repeats a case,
// DAMAGE_COUNT runs more of them.
func TestAnyDamageIsAnError(t *testing.T) {
	s, ids, index := filled(t, 200)
	count := 40
	seeds := []uint64{}
	if seed, err := strconv.ParseUint(os.Getenv("DAMAGE_SEED"), 10, 64); err == nil {
		seeds = []uint64{seed}
	} else {
		if n, err := strconv.Atoi(os.Getenv("DAMAGE_COUNT")); err == nil {
			count = n
		}
		for range count {
			seeds = append(seeds, rand.Uint64())
		}
	}
	told := 0
	for _, seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 0))
		overwrite(t, s, damage(r, index))
		before := readable(t, s, ids)
		if err := s.Check(t.Context()); err != nil {
			told++
		} else if len(before) != len(ids) {
			t.Errorf("DAMAGE_SEED=%d: Check found nothing, but %d jobs can't be read", seed, len(ids)-len(before))
		}
		victim := ids[r.IntN(len(ids))]
		for _, do := range operations(t, s, victim) {
			_ = do() // may fail, must return
		}
		after := readable(t, s, ids)
		for id, j := range before {
			if id != victim && !reflect.DeepEqual(after[id], j) {
				t.Errorf("DAMAGE_SEED=%d: job %s was readable before", seed, id)
			}
		}
	}
	t.Logf("%d of %d cases were found by Check", told, len(seeds))
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
