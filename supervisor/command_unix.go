//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"jobman/journal"
)

// start starts `jobman exec` and the pump. keep waits until all of the output was
// kept, once nothing is left that could print.
func (s *shim) start() (keep func() error, err error) {
	if s.spec, err = s.run.Spec(); err != nil {
		return nil, err
	}
	if err := becomeSubreaper(); err != nil {
		return nil, fmt.Errorf("become a subreaper: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	files := []uintptr{null.Fd(), null.Fd(), null.Fd()}
	var sources []journal.Source
	for i, kept := range []bool{s.spec.Log.Stdout, s.spec.Log.Stderr} {
		if !kept {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer w.Close()
		sources = append(sources, journal.Source{Stream: []journal.Stream{journal.Stdout, journal.Stderr}[i], File: r})
		files[1+i] = w.Fd()
	}
	s.main, err = syscall.ForkExec(exe, []string{exe, "exec", string(s.run)}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"INVOCATION_ID=" + s.exit.InvocationID},
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		s.main = 0
		return nil, fmt.Errorf("execute jobman: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	pumped := make(chan error, 1)
	go func() { pumped <- pump(ctx, s.run.Logs(), sources, journal.OptionsFor(&s.spec.Log)) }()
	return func() error {
		// Not until the end of file: something that isn't ours may hold the pipe.
		cancel()
		return <-pumped
	}, nil
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
