//go:build !linux

package house

import (
	"errors"

	"jobman/engine"
	"jobman/job"
	"jobman/journal"
)

// Without systemd there are no FIFOs, no activation and no stop-post.

func outputs(string) engine.Outputs { return engine.Outputs{} }

func activated() ([]journal.Source, error) { return nil, errors.ErrUnsupported }

func endedVerb([]string) error { return errors.ErrUnsupported }

func (*House) rest(*job.Job) error { return nil }
