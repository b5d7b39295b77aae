// Bench holds jobman against its budgets (`make bench`): it boots a lab, puts
// jobman and itself into it, and times whole processes there as a user with a
// manager of their own. Each is paired with its reference, one after the other in
// turns, since a machine is never quiet: what counts is the ratio in one run.
//
//	bench [-jobman FILE] [-rounds N] [-loop N] [REGEXP]
//
// The regular expression selects benchmarks by name. It fails where a ratio, or a
// size, is more than a quarter above its budget.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"

	"jobman/test/lab"
)

type settings struct {
	jobman string
	rounds int // pairs of single processes
	loop   int // jobs one after another
	only   *regexp.Regexp
}

func main() {
	var s settings
	inside := flag.Bool("inside", false, "measure here, in the lab; internal")
	flag.StringVar(&s.jobman, "jobman", "bin/jobman", "the program to measure")
	flag.IntVar(&s.rounds, "rounds", 21, "how often single processes are timed")
	flag.IntVar(&s.loop, "loop", 1000, "how many jobs run one after another")
	flag.Parse()
	var err error
	if s.only, err = regexp.Compile(flag.Arg(0)); err == nil {
		if *inside {
			err = s.measure()
		} else {
			err = s.boot()
		}
	}
	if errors.Is(err, errBudget) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// boot runs this program in a lab.
func (s settings) boot() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "jobman-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	empty := filepath.Join(dir, "empty")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", empty, "jobman/test/bench/empty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the empty program: %w\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	l, err := lab.Boot(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, program := range [][2]string{{s.jobman, "jobman"}, {empty, "empty"}, {self, "bench"}} {
		if err := l.Install(ctx, program[0], program[1]); err != nil {
			return err
		}
	}
	cmd := l.Command(ctx, "alice", nil, "bench", "-inside",
		"-rounds", strconv.Itoa(s.rounds), "-loop", strconv.Itoa(s.loop), s.only.String())
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 {
		return errBudget
	}
	return err
}
