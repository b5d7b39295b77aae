// Lab boots a real systemd, runs a command inside it with this terminal, and
// ends with that command's code; see package lab.
//
//	lab [-user alice] [-install FILE] [-stdin FILE] -- COMMAND...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"jobman/test/lab"
)

func main() {
	user := flag.String("user", "root", "who runs the command: root, alice (with a user manager) or bob (without)")
	install := flag.String("install", "", "a program to put into the lab's PATH first")
	stdin := flag.String("stdin", "", "a file for the command's stdin, instead of this terminal")
	flag.Parse()
	code, err := run(*user, *install, *stdin, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(user, install, stdin string, argv []string) (code int, err error) {
	if len(argv) == 0 {
		return 0, errors.New("there is no command")
	}
	ctx := context.Background()
	l, err := lab.Boot(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if install != "" {
		if err := l.Install(ctx, install, filepath.Base(install)); err != nil {
			return 0, err
		}
	}
	cmd := l.Command(ctx, user, []string{"TERM=" + os.Getenv("TERM")}, argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if stdin != "" {
		f, err := os.Open(stdin)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		cmd.Stdin = f
	}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
