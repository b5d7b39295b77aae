//go:build darwin || freebsd

package sensors

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"jobman/program"
)

// prove asks the system's own program, which sees what this user may: all for root.
func prove(ctx context.Context, paths []string) (proof, error) {
	p := proof{by: []string{opener}}
	for _, path := range paths {
		if _, err := os.Stat(path); gone(err) {
			continue
		} else if err != nil {
			return p, err
		}
		isOpen, err := opened(ctx, path)
		if err != nil {
			return p, err
		}
		if isOpen {
			p.open = append(p.open, path)
		}
		p.there = append(p.there, path)
	}
	return p, nil
}

// ask runs the program, and returns the lines that it prints.
func ask(ctx context.Context, argv ...string) (lines []string, err error) {
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{}, &out, &errs
	err = program.Run(ctx, cmd)
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.Exited() && strings.TrimSpace(errs.String()) == "" {
		err = nil // it says by its code that there are none
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", argv[0], err, oneLine(errs.String()))
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n"), nil
}
