package main

import (
	"slices"

	"jobman/job"
)

// notifyFlags name the callbacks that are told of a job's events.
type notifyFlags struct {
	Any       []string `name:"notify" sep:"none" placeholder:"CALLBACK" help:"Tell this callback how the job ends, and when another run is scheduled; repeatable. (Not there yet.)"`
	OnSuccess []string `name:"notify.on-success" sep:"none" placeholder:"CALLBACK" help:"Tell it if the job succeeds; repeatable. (Not there yet.)"`
	OnRetry   []string `name:"notify.on-retry" sep:"none" placeholder:"CALLBACK" help:"Tell it when another run is scheduled; repeatable. (Not there yet.)"`
	OnFailure []string `name:"notify.on-failure" sep:"none" placeholder:"CALLBACK" help:"Tell it if the job fails or is killed; repeatable. (Not there yet.)"`
}

// notify adds up who is told: what the command line says does not replace what the
// configuration does, unless it clears it.
func (r *jobFlags) notify(a *app) job.Notify {
	all := func(option string, given []string) []string {
		if !a.given(option) || a.words.cleared[option] || a.line != nil && a.line.resolved {
			return given
		}
		set, _ := a.resolved.Find(option)
		for _, name := range set.List {
			if !slices.Contains(given, name) {
				given = append(given, name)
			}
		}
		return given
	}
	n := &r.Notify
	return job.Notify{
		Any: all("notify", n.Any), OnSuccess: all("notify.on-success", n.OnSuccess),
		OnRetry: all("notify.on-retry", n.OnRetry), OnFailure: all("notify.on-failure", n.OnFailure),
	}
}
