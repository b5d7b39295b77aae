package bolt

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"jobman/job"
	"jobman/store"
)

// old returns a store whose index an older jobman has made: a completed job of three
// runs, one of one, an active one in its second run, and (schema 2) one that waits
// for the second. All runs that are over have output.
func old(t *testing.T, schema int) *Store {
	t.Helper()
	packed, err := os.Open(fmt.Sprintf("testdata/schema-%d.bolt.gz", schema))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	index, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(t.TempDir(), ".db"))
	if err := s.tree.Create(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(), index, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []job.Ref{{ID: oldDone, Run: 1}, {ID: oldDone, Run: 3}, {ID: oldFailed, Run: 1}, {ID: oldActive, Run: 1}, {ID: oldActive, Run: 2}} {
		print(t, s, ref.ID, new(job.Run{N: ref.Run}), 100)
	}
	return s
}

const (
	oldDone   job.ID = "11111111-0000-4000-8000-000000000001"
	oldFailed job.ID = "22222222-0000-4000-8000-000000000002"
	oldActive job.ID = "33333333-0000-4000-8000-000000000003"
)

func TestAnOlderIndexIsReadAndBroughtUpToDate(t *testing.T) {
	for version := 1; version < schema; version++ {
		t.Run(fmt.Sprint("schema ", version), func(t *testing.T) {
			s := old(t, version)
			jobs := 3
			if version > 1 {
				jobs = 4
			}
			check(t, s)
			before := bytesOf(t, s)
			for _, f := range []store.Filter{{}, {Active: true}, {Name: "done"}, {Groups: []string{"group"}}} {
				found, err := s.Query(t.Context(), f)
				if err != nil || len(found) == 0 || f.Name == "" && !f.Active && len(found) != jobs {
					t.Errorf("Query(%+v): %d jobs, %v", f, len(found), err)
				}
			}
			if bytesOf(t, s) != before {
				t.Error("reading has changed it")
			}
			// Any write brings it up to date, also one that changes nothing.
			if _, err := s.Reap(t.Context(), nil, job.Retention{}); err != nil {
				t.Fatal(err)
			}
			check(t, s)
			err := s.view(t.Context(), func(x tx) error {
				if got := string(x.Bucket(bucketMeta).Get(keySchema)); got != fmt.Sprint(schema) {
					t.Errorf("its schema is %s", got)
				}
				if bytes, ended := x.number(keyOutput), x.number(keyEnded); bytes != 400 || ended != 2 {
					t.Errorf("the books say %d bytes, %d jobs", bytes, ended)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			deleted, err := s.Delete(t.Context(), []job.ID{oldFailed})
			if awaited := version > 1; err != nil || (len(deleted) == 0) != awaited {
				t.Errorf("deleted %v, %v", deleted, err)
			}
			if _, err := s.Reap(t.Context(), nil, job.Retention{Jobs: 1, Bytes: 1}); err != nil {
				t.Fatal(err)
			}
			active, err := s.Get(t.Context(), oldActive, -1)
			if err != nil || !active.Reaped(&active.Runs[0]) || active.Reaped(&active.Runs[1]) {
				t.Errorf("%+v, %v", active, err)
			}
			if _, err := os.Lstat(s.tree.Run(job.Ref{ID: oldActive, Run: 2}).Logs()); err != nil {
				t.Errorf("output of an active run: %v", err)
			}
			check(t, s)
		})
	}
}
