package house

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"time"

	"jobman/callbacks"
	"jobman/engine"
	"jobman/job"
	"jobman/journal"
	"jobman/store"
	"jobman/store/tree"
	"jobman/supervisor"
)

// teller tells callbacks of what happened to the house's jobs.
type teller struct{ *House }

// Send implements engine.Callbacks.
func (t teller) Send(ctx context.Context, j *job.Job, c *job.Callback, e *job.Event) error {
	env, err := t.Tree.Env(j.ID)
	if errors.Is(err, fs.ErrNotExist) {
		env, err = t.Store.Env(ctx, j.ID)
	}
	if errors.Is(err, store.ErrNotFound) {
		env, err = nil, nil // it never ran, and so its environment was never written
	}
	if err != nil {
		return err
	}
	r, err := t.runner(&j.Spec, env)
	if err != nil {
		return err
	}
	if j.Backend == "systemd" {
		b, err := t.Backend(j.Backend, j.Scope)
		if err != nil {
			return err
		}
		if b, ok := b.(engine.Encloser); ok {
			r.Enclose = func(ctx context.Context, pid int, limit time.Duration) (func() error, error) {
				return b.Enclose(ctx, e.ID, pid, limit)
			}
		}
	}
	output, err := t.lastLines(ctx, j, e.Run)
	t.log(err) // then there is none
	_, err = r.Send(ctx, c, callbacks.NewNotice(j, e, output))
	return err
}

// runner returns what tells callbacks, with the job's environment.
func (h *House) runner(spec *job.Spec, env []byte) (*callbacks.Runner, error) {
	net, err := h.Tree.Helper("net", h.programs.carries("net"))
	if err == nil && net == "" {
		net, err = anyHelper(h.Tree)
	}
	return &callbacks.Runner{
		Net: net, Environ: engine.Submitted(env), Dir: string(spec.Chdir),
		Prepare: func(cmd *exec.Cmd) error { return engine.RunAs(cmd, spec) },
	}, err
}

// anyHelper finds the jobman-net of another version: who submitted the job put it there.
func anyHelper(t tree.Tree) (string, error) {
	found, err := filepath.Glob(filepath.Join(string(t), "bin", "jobman-*-net"))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[len(found)-1], nil
}

// Try tells a callback of something that did not happen. It returns what is to be said
// of that.
func (h *House) Try(ctx context.Context, spec *job.Spec, env []byte, c *job.Callback, n *callbacks.Notice) (string, error) {
	r, err := h.runner(spec, env)
	if err != nil {
		return "", err
	}
	return r.Send(ctx, c, n)
}

// CheckTemplates tells what is wrong with a callback's templates.
func (h *House) CheckTemplates(ctx context.Context, c *job.Callback) error {
	r, err := h.runner(new(job.Spec), nil)
	if err != nil {
		return err
	}
	return r.Check(ctx, c)
}

// lastLines are the last ones that a run printed.
func (h *House) lastLines(ctx context.Context, j *job.Job, n int) (lines []string, err error) {
	r := j.Run(n)
	if r == nil || j.Reaped(r) {
		return nil, nil
	}
	run := h.Tree.Run(job.Ref{ID: j.ID, Run: n})
	opt := journal.ReadOptions{Join: true, Tail: callbacks.Lines}
	add := func(line journal.Line) error {
		lines = append(lines, string(line.Text[:min(len(line.Text), 4096)]))
		return nil
	}
	if r.Sink == job.SinkJournal {
		claim, err := run.ReadClaim()
		if err != nil || claim == nil || claim.Identifier == "" {
			return nil, err
		}
		_, err = journal.ReadJournald(ctx, claim.Identifier, true, opt, add)
		return lines, err
	}
	reader, err := journal.Open(run.Logs(), opt)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	reader.Finish()
	for {
		line, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		if err := add(line); err != nil {
			return lines, err
		}
	}
}

// deliverVerb: deliver STORE [detached]. On systemd a timer takes over when nothing is
// due; elsewhere the process stays until nothing is left.
func deliverVerb(args []string) error {
	store := tree.Tree(args[0])
	return withEngine(store, store.Log(), func(ctx context.Context, h *House) error {
		h.Callbacks = teller{h}
		detached := supervisor.Detached(args)
		var next time.Time
		err := supervisor.Attend(store, detached, func(poked <-chan struct{}) (err error) {
			next, err = h.Deliver(ctx, poked, detached)
			return err
		}, func() (bool, error) {
			d, err := h.Undelivered(ctx)
			return d != nil && (detached || !d.NextAt.After(time.Now())), err
		})
		if err != nil || next.IsZero() || detached {
			return err
		}
		b, err := h.Backend("systemd", ownScope())
		if err != nil {
			return err
		}
		return b.Deliver(ctx, next)
	})
}
