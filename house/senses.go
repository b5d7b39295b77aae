package house

import (
	"context"
	"os/exec"
	"time"

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
			checker.Net, err = s.Tree.Helper("net", s.programs.carries("net"))
		}
		if err != nil {
			return job.Check{At: time.Now().UTC(), Error: err.Error()}
		}
		checker.Environ = engine.Submitted(env)
	}
	if c.Kind == job.KindScript {
		checker.Prepare = func(cmd *exec.Cmd) error { return engine.RunAs(cmd, &j.Spec) }
	}
	return checker.Check(ctx, c.Kind, string(c.Target))
}

// Watch implements engine.Sensors.
func (s senses) Watch(c job.Condition) []job.Watch {
	if c.Kind != job.KindFile {
		return nil
	}
	return sensors.Watch(string(c.Target))
}
