package job

import (
	"slices"
	"time"
)

// Cleaning says which completed jobs are deleted: those that meet all of it.
type Cleaning struct {
	Before  time.Time // completed before this; zero: at any time
	Keep    int       // but for so many of the newest that meet Results and Groups
	Results []Result
	Groups  []string
}

// Choose returns those of the jobs, which come newest first.
func (c Cleaning) Choose(jobs []*Job) (chosen []*Job) {
	kept := 0
	for _, j := range jobs {
		switch {
		case !j.Completed(),
			len(c.Results) > 0 && !slices.Contains(c.Results, j.Result),
			len(c.Groups) > 0 && !slices.Contains(c.Groups, j.Spec.Group):
		case kept < c.Keep:
			kept++
		case c.Before.IsZero() || j.StoppedAt.Before(c.Before):
			chosen = append(chosen, j)
		}
	}
	return chosen
}
