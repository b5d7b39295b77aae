package main

import (
	"os"

	"github.com/alecthomas/kong"
)

type helpCmd struct {
	Verb []string `arg:"" optional:"" help:"The verb to explain."`
}

// Run shows the help for a verb.
func (h *helpCmd) Run(a *app) error {
	var g grammar
	k, err := newParser(&g, helpWriter{a.stdout, a.stderr})
	if err != nil {
		return err
	}
	return showHelp(k, h.Verb)
}

func showHelp(k *kong.Kong, verb []string) error {
	if len(verb) > 0 {
		known := false
		for _, n := range k.Model.Children {
			known = known || n.Name == verb[0]
		}
		if !known {
			return usage("there is no verb %q", verb[0]).try("jobman help")
		}
	}
	_, err := k.Parse(append(append([]string(nil), verb...), "--help"))
	return err
}

// bare handles a command line without a command: on a terminal the help is
// shown, else that is an error. done tells that there is nothing more to do.
func (a *app) bare(k *kong.Kong) (done bool, err error) {
	w := a.words
	if !w.implicit || len(w.args) > 0 {
		return false, a.trap()
	}
	for _, f := range w.flags {
		if f == "--help" || f == "--version" {
			return true, showHelpOr(k, f)
		}
	}
	for _, f := range []string{"from", "job-spec", "rerun-by-name", "rerun-by-id"} {
		if _, given := a.flag(f); given {
			return false, nil // they bring a command
		}
	}
	if len(w.flags) == 0 && isTerminal(os.Stdin) {
		return true, showHelp(k, nil)
	}
	return false, usage("there is no command").try("jobman help")
}

func showHelpOr(k *kong.Kong, flag string) error {
	_, err := k.Parse([]string{flag})
	return err
}
