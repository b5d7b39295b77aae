package main

import (
	"fmt"

	"jobman/job"
)

// withOutput returns those of a job's runs whose output is there still, and tells of
// the others. Where all that are asked for are reaped that is an error.
func (a *app) withOutput(j *job.Job, runs []int) (left []int, err error) {
	var gone []int
	for _, n := range runs {
		if r := j.Run(n); r != nil && j.Reaped(r) {
			gone = append(gone, n)
		} else {
			left = append(left, n)
		}
	}
	switch {
	case len(gone) == 0:
	case len(left) == 0:
		return nil, &problem{kind: "not-found", text: reapedText(j, gone), hint: "jobman show " + j.ID.Short()}
	default:
		a.note("%s", reapedText(j, gone))
	}
	return left, nil
}

func reapedText(j *job.Job, runs []int) string {
	if len(runs) == 1 {
		return fmt.Sprintf("the output of run %d of %s was deleted", runs[0], j.ID.Short())
	}
	return fmt.Sprintf("the output of %d runs of %s, %d to %d, was deleted", len(runs), j.ID.Short(), runs[0], runs[len(runs)-1])
}
