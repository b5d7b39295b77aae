package main

import (
	"fmt"

	"jobman/job"
)

type configPathsCmd struct{}

// pathView is a place of configuration as JSON.
type pathView struct {
	Pattern job.Text  `json:"pattern"`
	File    *job.Text `json:"file"`
	Trusted *bool     `json:"trusted"`
	Error   *string   `json:"error"`
}

// Help implements kong's hook for the text below the summary.
func (*configPathsCmd) Help() string {
	return `Examples:
  jobman config paths
  jobman config paths --json`
}

// Run prints where configuration is looked for.
func (*configPathsCmd) Run(a *app) error {
	paths := a.places().Paths()
	if a.JSON {
		views := make([]pathView, len(paths))
		for i, p := range paths {
			views[i] = pathView{Pattern: job.Text(p.Pattern), File: known(job.Text(p.File)), Error: known(p.Problem)}
			if p.File != "" {
				trusted := !p.Untrusted
				views[i].Trusted = &trusted
			}
		}
		return a.printJSON(map[string]any{"paths": views})
	}
	for _, p := range paths {
		switch {
		case p.Problem != "":
			fmt.Fprintf(a.stdout, "%s  %s\n", printable(p.Pattern), printable(p.Problem))
		case p.Untrusted:
			fmt.Fprintf(a.stdout, "%s  may set options of run only; jobman config trust %s\n", printable(p.File), quote([]job.Text{job.Text(p.File)}))
		case p.File != "":
			fmt.Fprintf(a.stdout, "%s  is read\n", printable(p.File))
		default:
			fmt.Fprintf(a.stdout, "%s  is not there\n", printable(p.Pattern))
		}
	}
	return nil
}
