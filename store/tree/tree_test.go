package tree

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"jobman/job"
)

// run1 is the directory of run 1 of a job, in a store of its own.
func run1(t *testing.T) (Tree, Run, job.Ref) {
	t.Helper()
	store := Tree(filepath.Join(t.TempDir(), ".db"))
	if err := store.Create(); err != nil {
		t.Fatal(err)
	}
	j := &job.Job{ID: job.NewID(), Phase: job.Starting, RunCount: 1, Runs: []job.Run{{N: 1, Phase: job.Starting}}}
	if err := store.WriteJob(j.ID, &j.Spec, []byte("A=1\x00")); err != nil {
		t.Fatal(err)
	}
	if err := store.WriteState(j); err != nil {
		t.Fatal(err)
	}
	return store, store.Run(j.Ref()), j.Ref()
}

func TestARunIsFoundFromItsDirectory(t *testing.T) {
	store, run, ref := run1(t)
	gotStore, gotRef, err := run.Locate()
	if err != nil || gotStore != store || gotRef != ref {
		t.Fatalf("Locate() = %v, %v, %v; want %v, %v", gotStore, gotRef, err, store, ref)
	}
	if !IsWithin(string(run)) || !IsWithin(string(store)) || IsWithin(t.TempDir()) {
		t.Error("IsWithin doesn't know what is a store's")
	}
	for _, bad := range []Run{"", "/", "relative/1", Run(filepath.Dir(string(run))), Run(string(run) + "x")} {
		if _, _, err := bad.Locate(); err == nil {
			t.Errorf("%q is taken for a run's directory", bad)
		}
	}
}

func TestOfManyWhoClaimARunOneGetsIt(t *testing.T) {
	_, run, _ := run1(t)
	var wg sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		wg.Go(func() { errs[i] = run.Claim(job.Claim{PID: i + 1, At: time.Now()}) })
	}
	wg.Wait()
	winner := slices.IndexFunc(errs, func(err error) bool { return err == nil })
	for i, err := range errs {
		if i != winner && !errors.Is(err, ErrClaimed) {
			t.Errorf("claim %d: %v", i, err)
		}
	}
	if c, err := run.ReadClaim(); err != nil || c.PID != winner+1 {
		t.Errorf("the claim is %+v, %v; want that of %d", c, err, winner+1)
	}
	if names, err := filepath.Glob(run.File(".claim*")); err != nil || len(names) > 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func TestTheEndOfAnotherExecutionChangesNothing(t *testing.T) {
	store, run, _ := run1(t)
	if err := run.Claim(job.Claim{InvocationID: "first", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := run.Conclude(job.Exit{InvocationID: "second", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if e, err := run.ReadExit(); e != nil || err != nil {
		t.Errorf("there is an exit record: %+v, %v", e, err)
	}
	if mail, err := store.Mail(); len(mail) > 0 || err != nil {
		t.Errorf("there is mail: %v, %v", mail, err)
	}
}

func TestAnEndWithoutClaimMakesTheRunVoid(t *testing.T) {
	store, run, ref := run1(t)
	if err := run.WriteStartError("no such directory"); err != nil {
		t.Fatal(err)
	}
	if err := run.Conclude(job.Exit{InvocationID: "i", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := run.Claim(job.Claim{At: time.Now()}); !errors.Is(err, ErrClaimed) {
		t.Errorf("it can still be executed: %v", err)
	}
	if c, err := run.ReadClaim(); err != nil || c.Executed() {
		t.Errorf("the claim is %+v, %v", c, err)
	}
	if e, err := run.ReadExit(); err != nil || e == nil || e.StartError != "no such directory" {
		t.Errorf("the exit record is %+v, %v", e, err)
	}
	mail, err := store.Mail()
	if err != nil || !slices.Equal(mail, []job.Ref{ref}) {
		t.Fatalf("the mail is %v, %v", mail, err)
	}
	for range 2 { // taking it twice is no error
		if err := store.Take(ref); err != nil {
			t.Error(err)
		}
	}
}

func TestTornRecords(t *testing.T) {
	_, run, _ := run1(t)
	for _, name := range []string{"claim", "exit"} {
		if err := os.WriteFile(run.File(name), []byte(`{"pid":1,"a`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := run.ReadClaim(); err != nil || !c.Executed() {
		t.Errorf("a torn claim is a claim: %+v, %v", c, err)
	}
	if e, err := run.ReadExit(); err != nil || e != nil {
		t.Errorf("a torn exit record is none: %+v, %v", e, err)
	}
}

func TestWhatIsNoMailIsThrownAway(t *testing.T) {
	store, _, ref := run1(t)
	for _, name := range []string{"x", string(ref.ID), string(ref.ID) + ".0", string(ref.ID) + ".x"} {
		if err := os.WriteFile(filepath.Join(store.Inbox(), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Drop(ref); err != nil {
		t.Fatal(err)
	}
	if mail, err := store.Mail(); err != nil || !slices.Equal(mail, []job.Ref{ref}) {
		t.Errorf("the mail is %v, %v", mail, err)
	}
	if left, err := os.ReadDir(store.Inbox()); err != nil || len(left) != 1 {
		t.Errorf("left in the inbox: %v, %v", left, err)
	}
}

func TestThatARunBeganIsSeenInTheStateFiles(t *testing.T) {
	store, run, ref := run1(t)
	began := job.Claim{PID: 7, At: time.Now().UTC()}
	if err := run.MarkRunning(began); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{run.File("state"), filepath.Join(store.Job(ref.ID), "state")} {
		var s struct {
			Status job.Status
			Times  struct{ Start *time.Time }
		}
		if err := readJSON(file, &s); err != nil || s.Status != job.Active || s.Times.Start == nil || !s.Times.Start.Equal(began.At) {
			t.Errorf("%s: %+v, %v", file, s, err)
		}
	}
}

func TestTheHeartOfARun(t *testing.T) {
	tr := Tree(t.TempDir())
	r := tr.Run(job.Ref{ID: job.NewID(), Run: 1})
	if err := os.MkdirAll(string(r), 0o700); err != nil {
		t.Fatal(err)
	}
	beat := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := r.Beat(beat); err != nil {
		t.Fatal(err)
	}
	if at, err := r.Heartbeat(); err != nil || !at.IsZero() {
		t.Errorf("of a run that is not executed: %s, %v", at, err)
	}
	if err := r.Claim(job.Claim{PID: 1}); err != nil {
		t.Fatal(err)
	}
	if err := r.Beat(beat); err != nil {
		t.Fatal(err)
	}
	if at, err := r.Heartbeat(); err != nil || !at.Equal(beat) {
		t.Errorf("%s, %v", at, err)
	}
}
