package doctor

import (
	"strings"
	"time"
)

// netLate is how long after its last visit the safety net is missed.
const netLate = 3 * time.Minute

// SafetyNet judges whether it comes along: age is how long ago it last did.
func SafetyNet(incomplete int, age time.Duration) Finding {
	const about = "safety net"
	switch {
	case incomplete == 0:
		return Fine(about, "no job is incomplete")
	case age > netLate || age < 0:
		return Warn(about, "it should come each minute while a job is incomplete, and last did %s ago", age.Round(time.Second)).try("jobman list")
	}
	return Fine(about, "looked after %s %s ago", count(incomplete, "incomplete job", "incomplete jobs"), age.Round(time.Second))
}

// Hosts judges the incomplete jobs of other machines, whose names are given.
func Hosts(here string, others []string) Finding {
	const about = "other machines"
	seen := map[string]bool{}
	var names []string
	for _, name := range others {
		if !seen[name] {
			seen[name], names = true, append(names, name)
		}
	}
	switch {
	case len(others) == 0:
		return Fine(about, "all incomplete jobs are this one's")
	case seen[here]:
		return Warn(about, "%s of a machine of this one's name and another machine-id(5): if that is no more, they never go on", count(len(others), "incomplete job is", "incomplete jobs are")).
			try("jobman rerun JOB")
	}
	return Fine(about, "%s of %s, and go on there", count(len(others), "incomplete job is", "incomplete jobs are"), strings.Join(names, ", "))
}
