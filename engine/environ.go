package engine

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"jobman/job"
)

// runNames are the variables by which a run knows itself.
var runNames = []string{"JOBMAN_JOB_ID", "JOBMAN_JOB_NAME", "JOBMAN_JOB_GROUP", "JOBMAN_RUN"}

// Submitted is the environment that a job was submitted with, NUL-terminated strings, but
// for the names of a run that has submitted it.
func Submitted(env []byte) []string {
	vars := []string{}
	for entry := range bytes.SplitSeq(env, []byte{0}) {
		key, _, _ := strings.Cut(string(entry), "=")
		if len(entry) > 0 && !slices.Contains(runNames, key) {
			vars = append(vars, string(entry))
		}
	}
	return vars
}

// environment is that of the command: what was submitted, and the names of the
// run.
func environment(env []byte, spec *job.Spec, ref job.Ref) []string {
	vars := Submitted(env)
	for i, value := range []string{string(ref.ID), spec.ShortName(), spec.Group, strconv.Itoa(ref.Run)} {
		vars = append(vars, runNames[i]+"="+value)
	}
	return vars
}
