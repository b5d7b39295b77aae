package engine

import (
	"slices"
	"testing"

	"jobman/job"
)

// A job that a run has submitted has not the names of that run: by them its processes
// would be taken for that run's.
func TestARunsNamesAreNotPassedOn(t *testing.T) {
	env := []byte("A=1\x00JOBMAN_JOB_ID=outer\x00JOBMAN_RUN=7\x00JOBMAN_BACKEND=fork\x00B=\x00")
	if got := Submitted(env); !slices.Equal(got, []string{"A=1", "JOBMAN_BACKEND=fork", "B="}) {
		t.Errorf("%q", got)
	}
	ref := job.Ref{ID: job.NewID(), Run: 2}
	got := environment(env, &job.Spec{Name: "inner", Group: "g"}, ref)
	want := []string{"A=1", "JOBMAN_BACKEND=fork", "B=", "JOBMAN_JOB_ID=" + string(ref.ID), "JOBMAN_JOB_NAME=inner", "JOBMAN_JOB_GROUP=g", "JOBMAN_RUN=2"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
