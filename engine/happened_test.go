package engine

import (
	"strings"
	"testing"
	"time"

	"jobman/events"
	"jobman/job"
)

// tell is what is noted, in short.
func tell(all []events.Event) string {
	var words []string
	for _, e := range all {
		word := e.Level.String() + ":" + e.What
		for _, f := range e.Fields {
			if f.Key == "run" || f.Key == "kind" || f.Key == "error" {
				word += ":" + f.Value
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestWhatACommitChangedIsTold(t *testing.T) {
	now := time.Unix(1000, 0)
	code := 3
	waiting := func(at time.Time, check job.Check) *job.Job {
		return &job.Job{
			Phase: job.Waiting, Armed: job.Armed{Rev: 1, At: at},
			Conditions: []job.Condition{{Kind: job.KindScript, Check: check}},
		}
	}
	running := &job.Job{Phase: job.Starting, RunCount: 1, Runs: []job.Run{{N: 1, Phase: job.Starting}}}
	ended := job.Run{N: 1, Phase: job.Done, Result: job.Failure, ExitCode: &code}
	for _, c := range []struct {
		name          string
		before, after *job.Job
		want          string
	}{
		{"a job that runs at once", new(job.Job), running, "info:start:1"},
		{"nothing", running, running, ""},
		{"its end", running, &job.Job{Phase: job.Done, Result: job.Failure, RunCount: 1, Runs: []job.Run{ended}}, "warn:run-ended:1 warn:completed"},
		{"a retry", running, &job.Job{Phase: job.Delayed, NextAt: now, RunCount: 1, Runs: []job.Run{ended}}, "warn:run-ended:1 info:retry:2"},
		{"the next run", &job.Job{Phase: job.Delayed, RunCount: 1, Armed: job.Armed{At: now}, Runs: []job.Run{ended}},
			&job.Job{Phase: job.Starting, RunCount: 2, Runs: []job.Run{ended, {N: 2, Phase: job.Starting}}}, "debug:disarmed info:start:2"},
		{"a job that waits", new(job.Job), waiting(now, job.Check{}), "info:armed"},
		{"the same poll again", waiting(now, job.Check{At: now}), waiting(now.Add(time.Minute), job.Check{At: now.Add(time.Minute)}), ""},
		{"what can't be checked", waiting(now, job.Check{}), waiting(now, job.Check{Error: "no"}), "warn:condition-error:script:no"},
		{"the same error again", waiting(now, job.Check{Error: "no"}), waiting(now, job.Check{Error: "no"}), ""},
		{"met", waiting(now, job.Check{Error: "no"}), waiting(now, job.Check{Met: true}), "info:condition-met:script"},
		{"no longer met", waiting(now, job.Check{Met: true}), waiting(now, job.Check{}), "info:condition-unmet:script"},
		{"what is not loaded", &job.Job{Phase: job.Starting, RunCount: 2, Runs: []job.Run{{N: 2, Phase: job.Starting}}},
			&job.Job{Phase: job.Starting, RunCount: 2, Runs: []job.Run{ended, {N: 2, Phase: job.Starting}}}, ""},
	} {
		if got := tell(happened(c.before, c.after)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestACommandLineIsNotTold(t *testing.T) {
	command := []job.Text{"mysql", "-psecret"}
	j := &job.Job{Spec: job.Spec{Name: job.DefaultName(command), Command: command}}
	for _, f := range submitted(j).Fields {
		if strings.Contains(f.Value, "secret") {
			t.Errorf("%s=%s", f.Key, f.Value)
		}
	}
}
