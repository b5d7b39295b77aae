package supervisor

import (
	"context"
	"errors"
	"io"
	"os"

	"jobman/journal"
)

// output is what a command prints, by pipes.
type output struct {
	sources []journal.Source
	ends    [2]*os.File // of stdout and stderr, for the command; nil: what comes is not kept
}

// pipes makes the pipes for the streams that are kept.
func (s *shim) pipes() (*output, error) {
	o := &output{}
	for i, kept := range []bool{s.spec.Log.Stdout, s.spec.Log.Stderr} {
		if !kept {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			o.handedOver()
			return nil, err
		}
		o.sources = append(o.sources, journal.Source{Stream: []journal.Stream{journal.Stdout, journal.Stderr}[i], File: r})
		o.ends[i] = w
	}
	return o, nil
}

// handedOver closes the command's ends, once it has them.
func (o *output) handedOver() {
	for _, w := range o.ends {
		if w != nil {
			w.Close()
		}
	}
}

// pump begins to keep the output. keep waits until all of it was, once nothing is left
// that could print.
func (o *output) pump(logs string, opt journal.Options) (keep func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	pumped := make(chan error, 1)
	go func() { pumped <- pump(ctx, logs, o.sources, opt) }()
	return func() error {
		// Not until the end of file: something that isn't ours may hold the pipe.
		cancel()
		return <-pumped
	}
}

// pump keeps the output. Where that fails altogether, what comes is read all the
// same: a command must not die of a broken pipe because its log can't be kept.
func pump(ctx context.Context, logs string, sources []journal.Source, opt journal.Options) error {
	if len(sources) == 0 {
		return nil
	}
	err := journal.Pump(ctx, logs, sources, opt)
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, s := range sources {
		go func() {
			_, cerr := io.Copy(io.Discard, s.File)
			_ = errors.Join(cerr, s.File.Close()) // of what is thrown away nothing is reported
		}()
	}
	return err
}
