package house

import (
	"context"
	"os/exec"
	"strings"

	"jobman/engine"
	"jobman/job"
	"jobman/sensors"
)

// senses are the sensors with what they need of a job.
type senses struct{ *House }

// Check implements engine.Sensors.
func (s senses) Check(ctx context.Context, j *job.Job, c job.Condition) job.Check {
	checker := sensors.Checker{Dir: string(j.Spec.Chdir)}
	if c.Kind.Polled() && c.Kind != job.KindNonopenFile {
		env, err := s.Store.Env(ctx, j.ID)
		if err == nil && c.Kind != job.KindScript {
			checker.Net, err = s.Tree.Helper("net", s.programs.Net)
		}
		if err != nil {
			return failed(s, err)
		}
		checker.Environ = strings.Split(strings.TrimRight(string(env), "\x00"), "\x00")
	}
	if c.Kind == job.KindScript {
		checker.Prepare = func(cmd *exec.Cmd) error { return engine.RunAs(cmd, &j.Spec) }
	}
	return checker.Check(ctx, c.Kind, string(c.Target))
}

func failed(s senses, err error) job.Check {
	return job.Check{At: s.Time(), Error: err.Error()}
}

// Watch implements engine.Sensors.
func (s senses) Watch(c job.Condition) (watches []job.Watch) {
	if c.Kind != job.KindFile {
		return nil
	}
	for _, p := range sensors.Watch(string(c.Target)) {
		watches = append(watches, job.Watch{Kind: p.Kind, Path: job.Text(p.Path)})
	}
	return watches
}
