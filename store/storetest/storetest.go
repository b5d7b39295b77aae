// Package storetest is the conformance suite of package store: what every
// store.Store must pass.
package storetest

import (
	"context"
	"encoding/json"
	"testing"

	"jobman/job"
	"jobman/store"
)

// Checker is what a store has beside its contract if it can verify all that it
// keeps. The suite calls it after every test.
type Checker interface {
	Check(ctx context.Context) error
}

// Run runs the suite. open returns a store that is empty and shared with nobody.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, store.Store)
	}{
		{"AnEmptyStoreHasNothing", testEmpty},
		{"SubmitKeepsJobRunsAndEnvironment", testSubmit},
		{"SubmitRefusesAnIDTwice", testSubmitTwice},
		{"UniqueLooksAtActiveJobsOfTheNameOnly", testUnique},
		{"UniqueAdmitsOneOfMany", testUniqueConcurrent},
		{"ACanceledContextDoesNothing", testCanceled},
		{"GetLoadsTheLastRuns", testGetRuns},
		{"UpdateStoresWhatChangeLeaves", testUpdate},
		{"UpdateAppendsRuns", testUpdateRuns},
		{"UpdateSkipsWhatIsNotThere", testUpdateMissing},
		{"UpdateLeavesUnchangedJobs", testUpdateUnchanged},
		{"UpdateAbortsAsAWhole", testUpdateAbort},
		{"UpdateSurvivesAPanicOfChange", testUpdatePanic},
		{"UpdatesAreNeverLost", testUpdateConcurrent},
		{"TheEnvironmentOutlivesUpdates", testEnv},
		{"DeleteRemovesCompletedJobsOnly", testDelete},
		{"DeleteRemovesManyAtOnce", testDeleteMany},
		{"DeleteSparesWhatOthersWaitFor", testDeleteAwaited},
		{"SubmitRefusesToWaitForWhatIsNotThere", testSubmitAwaiting},
		{"WhoWaitsAndWhoDeletesNeverBothSucceed", testAwaitedRace},
		{"ReapTakesTheOldestFirst", testReap},
		{"ReapTakesAllOfACompletedJob", testReapJob},
		{"ReapSparesActiveRuns", testReapActive},
		{"ReapIsBoundedAndComesToAnEnd", testReapMany},
		{"UpdateReapsUpToARun", testReapByUpdate},
		{"TheOutboxIsWrittenWithTheChange", testOutbox},
		{"TheOutboxIsBounded", testOutboxBounded},
		{"QueryOrdersBySubmission", testOrder},
		{"QueryLimitsCompletedJobsOnly", testLimit},
		{"QueryTakesTheNewest", testNewest},
		{"QueryFiltersByEachField", testFilter},
		{"QueryInBriefLeavesOnlyTheSpecOut", testBrief},
		{"QueryRefusesABadPattern", testBadPattern},
		{"NamesOfAnyLengthAreFound", testLongNames},
		{"AnyHistoryEndsLikeTheModel", testHistories},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if c, ok := s.(Checker); ok {
					if err := c.Check(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
			test.run(t, s)
		})
	}
}

// picture is all of a job, runs included, to compare.
func picture(j *job.Job) string {
	b, err := json.Marshal(struct {
		Job  *job.Job
		Runs []job.Run
	}{j, j.Runs})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// same fails the test unless the job is as it should be.
func same(t *testing.T, what string, got, want *job.Job) {
	t.Helper()
	if picture(got) != picture(want) {
		t.Fatalf("%s:\n got %s\nwant %s", what, picture(got), picture(want))
	}
}

func submit(t *testing.T, s store.Store, jobs ...*job.Job) {
	t.Helper()
	for _, j := range jobs {
		if err := s.Submit(t.Context(), j, []byte("A=1\x00"), false); err != nil {
			t.Fatal(err)
		}
	}
}

func get(t *testing.T, s store.Store, id job.ID, runs int) *job.Job {
	t.Helper()
	j, err := s.Get(t.Context(), id, runs)
	if err != nil {
		t.Fatalf("Get(%s): %v", id, err)
	}
	return j
}

func query(t *testing.T, s store.Store, f store.Filter) []*job.Job {
	t.Helper()
	jobs, err := s.Query(t.Context(), f)
	if err != nil {
		t.Fatalf("Query(%+v): %v", f, err)
	}
	return jobs
}

func update(t *testing.T, s store.Store, id job.ID, change func(*job.Job)) {
	t.Helper()
	err := s.Update(t.Context(), []job.ID{id}, func(j *job.Job) error {
		change(j)
		return nil
	})
	if err != nil {
		t.Fatalf("Update(%s): %v", id, err)
	}
}
