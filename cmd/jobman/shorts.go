package main

import (
	"slices"
	"strings"

	"jobman/config"
)

// shorts are options of run that are short for others. They are written out before
// anything else looks at them, so that each level decides about what they stand for.
var shorts = []string{"retry", "timeout"}

// writeOut replaces flags of run that are short for others, and takes out those that
// an empty text clears: for them the built-in default holds.
func (w *words) writeOut() error {
	if w.verb[0] != verbRun && w.verb[0] != "rerun" {
		return nil
	}
	given := func(name string) (string, bool) {
		for _, f := range slices.Backward(w.flags) {
			if v, ok := cutFlag(f, "--"+name); ok {
				return v, true
			}
		}
		return "", false
	}
	if n, ok := given("retry"); ok {
		for _, other := range []string{"retries.num-runs", "retries.num-successes"} {
			if _, beside := given(other); beside {
				return retryBeside()
			}
		}
		runs, successes, err := config.Retry(n)
		if err != nil {
			return usage("--%v", err)
		}
		w.replace("retry", "--retries.num-runs="+runs, "--retries.num-successes="+successes)
	}
	if d, ok := given("timeout"); ok {
		if long, beside := given("timeout.run"); beside && long != d {
			return usage("--timeout is short for --timeout.run, and they differ")
		}
		w.replace("timeout", "--timeout.run="+d)
	}
	w.cleared = map[string]bool{}
	w.flags = slices.DeleteFunc(w.flags, func(f string) bool {
		name, value, valued := strings.Cut(strings.TrimPrefix(f, "--"), "=")
		if clears := valued && value == ""; clears {
			w.cleared[name] = true
			return true
		}
		return false
	})
	return nil
}

func retryBeside() error {
	return usage("--retry N is short for --retries.num-runs N+1 and --retries.num-successes 1, and can't stand beside either")
}

// replace puts other flags in the place of all of a name.
func (w *words) replace(name string, others ...string) {
	w.flags = slices.DeleteFunc(w.flags, func(f string) bool {
		_, is := cutFlag(f, "--"+name)
		return is
	})
	w.flags = append(w.flags, others...)
}
