// Go would look for the CPU limits of this process's control group, and again
// every second. Nothing here lives long or is parallel.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Jobman runs a command so that it will be done: detached from the terminal,
// with its output kept, its end recorded, and its whole process tree under
// control.
//
// This package is the command line: the grammar (cli.go), the pass over argv
// before it (argv.go), one file for each verb, the exit codes (codes.go), and
// the choice of a backend (app.go, detect.go, probe_*.go). The internal verbs that
// units and shims execute are in package house.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"jobman/config"
	"jobman/events"
	"jobman/house"
)

// version is set by the linker from the file VERSION.
var version = "dev"

func main() {
	if house.IsInternal(os.Args[1:]) {
		house.Restrict()
		os.Exit(house.RunInternal(os.Args[1:]))
	}
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("jobman", version)
		return
	}
	// A closed pipe ends quietly: writes fail with EPIPE, see quiet.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: it returns the exit code.
func run(argv []string, stdout, stderr io.Writer) int {
	out := &writer{Writer: stdout}
	a := &app{ctx: context.Background(), stdout: out, stderr: stderr, umask: house.Restrict(), settings: new(config.Settings), resolved: new(config.Resolved)}
	if len(argv) > 0 && argv[0] == completeVerb {
		a.complete(argv[1:])
		return codeOK
	}
	// Until the command line is read, what it says decides how errors are told.
	a.JSON = slices.Contains(argv[:commandStart(argv)], "--json")
	err := a.parse(argv)
	if err == nil {
		err = out.err
	}
	if errors.Is(err, syscall.EPIPE) && out.err != nil {
		return codeOK
	}
	if err != nil {
		return report(stderr, err, a.JSON)
	}
	return codeOK
}

// writer remembers that the output could not be written, so that no verb has to
// look at each line it prints and yet none ends well that printed nothing.
type writer struct {
	io.Writer
	err error
}

func (w *writer) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("write to stdout: %w", err)
	}
	return n, err
}

// parse reads the command line and runs its verb.
func (a *app) parse(argv []string) (err error) {
	defer helped(&err)
	ctx, _, err := a.read(argv)
	if ctx == nil || err != nil {
		return err
	}
	return ctx.Run(a)
}

// helped ends a panic that is none: kong leaves through Exit when it has shown help.
func helped(err *error) {
	switch r := recover().(type) {
	case nil:
	case helpShown:
		*err = nil
	default:
		panic(r)
	}
}

// read reads the command line into a grammar. There is no context where all is
// done by then, as with --help.
func (a *app) read(argv []string) (ctx *kong.Context, filled any, err error) {
	defer helped(&err)
	filled, common := grammarFor(argv)
	// To build the parser takes longer than anything else that `run` does, so it
	// is built once, and learns of the settings later.
	k, err := newParser(filled, helpWriter{a.stdout, a.stderr}, kong.Resolvers(kong.ResolverFunc(a.answer)))
	if err != nil {
		return nil, nil, err
	}
	if a.words, err = split(k.Model, argv); err != nil {
		return nil, nil, err
	}
	events.Use(a.words.verb[0])
	if done, err := a.bare(k); done || err != nil {
		return nil, nil, err
	}
	if err := a.loadSettings(k.Model); err != nil {
		return nil, nil, err
	}
	if a.words.verb[0] == verbRun {
		if err := a.settle(); err != nil {
			return nil, nil, err
		}
	}
	ctx, err = k.Parse(a.words.kong())
	if errors.Is(err, helpShown{}) {
		return nil, nil, nil
	}
	if w, ok := a.stdout.(*writer); ok && err != nil && w.err != nil {
		return nil, nil, w.err // it was help
	}
	if err != nil {
		return nil, nil, explain(err, a.words)
	}
	a.common = *common
	return ctx, filled, nil
}

// grammarFor is as much of the grammar as a command line needs.
func grammarFor(argv []string) (any, *common) {
	needs := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(argv, w) })
	}
	switch {
	case len(argv) > 1 && argv[0] == verbRun:
		g := new(runGrammar)
		return g, &g.common
	case len(argv) == 0 || needs("rerun", "help", "--help", "-h"):
		g := new(grammar)
		return g, &g.common
	}
	g := new(lightGrammar)
	return g, &g.common
}
