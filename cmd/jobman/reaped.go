package main

import (
	"fmt"

	"jobman/job"
)

// withOutput leaves the runs of shares whose output is there still, and tells of the
// others. Where all that are asked for of a job are reaped, that is an error; but what
// a job that is followed has yet to print is there to be shown, and the other jobs of a
// group are.
func (l *logsCmd) withOutput(a *app, shares []*share) error {
	members := 0 // without any output
	for _, s := range shares {
		left, gone := s.split()
		s.runs = left
		switch {
		case len(gone) == 0:
		case len(left) > 0 || l.Follow && !s.job.Completed():
			a.note("%s", reapedText(s.job, gone))
		case s.member:
			members++
		default:
			return &problem{kind: "not-found", text: reapedText(s.job, gone), hint: "jobman show " + s.job.ID.Short()}
		}
	}
	if members > 0 {
		a.note("the output of jobs of the group was deleted: %d", members)
	}
	return nil
}

// split tells the runs of a share that have their output from those that are reaped.
func (s *share) split() (left, gone []int) {
	for _, n := range s.runs {
		if r := s.job.Run(n); r != nil && s.job.Reaped(r) {
			gone = append(gone, n)
		} else {
			left = append(left, n)
		}
	}
	return left, gone
}

func reapedText(j *job.Job, runs []int) string {
	if len(runs) == 1 {
		return fmt.Sprintf("the output of run %d of %s was deleted", runs[0], j.ID.Short())
	}
	return fmt.Sprintf("the output of %d runs of %s, %d to %d, was deleted", len(runs), j.ID.Short(), runs[0], runs[len(runs)-1])
}
