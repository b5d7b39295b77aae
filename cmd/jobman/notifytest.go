package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"jobman/callbacks"
	"jobman/engine"
	"jobman/job"
)

type notifyTestCmd struct {
	Callback string `arg:"" help:"A callback of the configuration, or one in place, such as mailto:me@example.org."`
}

// Help implements kong's hook for the text below the summary.
func (*notifyTestCmd) Help() string {
	return `It is told once, of a job named sample that failed. Variables are those of this
shell, as they would be of a job that is submitted here.

Examples:
  jobman notify test ops
  jobman notify test write:
  jobman notify test script:./tell.sh`
}

// Run tells a callback of something that did not happen.
func (n *notifyTestCmd) Run(a *app) error {
	if err := a.openAside(); err != nil {
		return err
	}
	env, err := engine.Environ()
	if err != nil {
		return fmt.Errorf("read the environment: %w", err)
	}
	names := located([]string{n.Callback})
	all, err := a.callbacks(job.Notify{Any: names}, env)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find the host name: %w", err)
	}
	here, err := os.Getwd()
	if err != nil {
		return usage("the working directory is gone: %v", pathCause(err)).try("cd")
	}
	notice := callbacks.Sample(host, time.Now().UTC())
	told, err := a.Try(a.ctx, &job.Spec{Chdir: job.Text(here)}, env, &all[0], notice)
	shown := job.RedactCallback(names[0])
	if err != nil {
		return &problem{kind: "failed", text: fmt.Sprintf("tell the callback %s: %v", shown, err), err: err}
	}
	if a.JSON {
		return a.printJSON(map[string]any{"callback": shown, "event_id": notice.EventID, "told": told})
	}
	if !a.Quiet {
		fmt.Fprintf(a.stdout, "%s: told; %s\n", printable(shown), printable(told))
	}
	return nil
}

var _ kong.HelpProvider = (*notifyTestCmd)(nil)
