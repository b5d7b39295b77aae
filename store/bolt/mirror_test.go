package bolt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"jobman/job"
	"jobman/store/storetest"
)

func TestTheMirrorFollowsTheIndex(t *testing.T) {
	s := fresh(t)
	j := storetest.Job("name", "group")
	submit(t, s, j)
	if !s.tree.HasRun(j.Ref()) {
		t.Error("spec and environment are not there")
	}
	if env, err := s.tree.Env(j.ID); err != nil || string(env) != "A=1\x00" {
		t.Errorf("the environment is %q, %v", env, err)
	}
	mirrored(t, s, j.ID)
	err := s.Update(t.Context(), []job.ID{j.ID}, func(j *job.Job) error {
		j.RunCount++
		j.Runs = append(j.Runs, job.Run{N: 2, Phase: job.Starting})
		return complete(j)
	})
	if err != nil {
		t.Fatal(err)
	}
	mirrored(t, s, j.ID)
	if _, err := s.Delete(t.Context(), []job.ID{j.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(s.tree.Job(j.ID)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("files of the deleted job: %v", err)
	}
}

// mirrored fails the test unless the state files of a job say what the index
// says.
func mirrored(t *testing.T, s *Store, id job.ID) {
	t.Helper()
	want, err := s.Get(t.Context(), id, -1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.tree.ReadState(id)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the mirror:\n got %+v\nwant %+v", got, want)
	}
}

func TestTheMirrorNeverFallsBehind(t *testing.T) {
	s := fresh(t)
	j := storetest.Job("name", "group")
	submit(t, s, j)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				err := s.Update(t.Context(), []job.ID{j.ID}, func(j *job.Job) error { j.SuccessCount++; return nil })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	mirrored(t, s, j.ID)
}

func TestAMirrorThatCannotBeWrittenFailsNothing(t *testing.T) {
	var log []string
	s, err := Open(filepath.Join(t.TempDir(), ".db"), Options{Log: func(err error) { log = append(log, err.Error()) }})
	if err != nil {
		t.Fatal(err)
	}
	j := storetest.Job("name", "group")
	shard := filepath.Dir(s.tree.Job(j.ID))
	if err := os.MkdirAll(filepath.Dir(shard), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(shard, []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	submit(t, s, j)
	if err := s.Update(t.Context(), []job.ID{j.ID}, complete); err != nil {
		t.Error(err)
	}
	if deleted, err := s.Delete(t.Context(), []job.ID{j.ID}); err != nil || len(deleted) != 1 {
		t.Errorf("deleted %v, %v", deleted, err)
	}
	if len(log) < 3 || !strings.Contains(log[0], string(j.ID)) {
		t.Errorf("the log is %q", log)
	}
	check(t, s)
}

// A Delete that was killed has committed, and left files.
func TestDeleteRemovesWhatOneBeforeLeft(t *testing.T) {
	s := fresh(t)
	j, active := storetest.Job("name", "group"), storetest.Job("name", "group")
	submit(t, s, j, active)
	if err := s.Update(t.Context(), []job.ID{j.ID}, complete); err != nil {
		t.Fatal(err)
	}
	err := s.update(t.Context(), func(t tx) (bool, error) { return t.remove(j.ID) }, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(s.tree.Job(j.ID)); err != nil {
		t.Fatal(err)
	}
	if deleted, err := s.Delete(t.Context(), nil); err != nil || len(deleted) != 0 {
		t.Fatalf("deleted %v, %v", deleted, err)
	}
	if _, err := os.Lstat(s.tree.Job(j.ID)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the files: %v", err)
	}
	before := commits(t, s)
	if _, err := s.Delete(t.Context(), nil); err != nil || commits(t, s) != before+1 {
		t.Errorf("the trash was not emptied: %v", err)
	}
	if _, err := s.Delete(t.Context(), nil); err != nil || commits(t, s) != before+1 {
		t.Errorf("an empty trash was emptied: %v", err)
	}
	mirrored(t, s, active.ID)
}

func TestDeleteSparesTheFilesOfANamesake(t *testing.T) {
	s := fresh(t)
	j := storetest.Job("name", "group")
	storetest.Complete(j, job.Success)
	submit(t, s, j)
	if _, err := s.Delete(t.Context(), []job.ID{j.ID}); err != nil {
		t.Fatal(err)
	}
	submit(t, s, j)
	if _, err := s.Delete(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	mirrored(t, s, j.ID)
}
