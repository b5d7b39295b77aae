package main

import (
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

type helpCmd struct {
	Verb []string `arg:"" optional:"" help:"The verb to explain, such as run, or kill run (default: all of them, in short)."`
}

// Help implements kong's hook for the text below the summary.
func (*helpCmd) Help() string {
	return `Examples:
  jobman help
  jobman help run
  jobman help kill run
  jobman kill --help       the same as jobman help kill`
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
	node := k.Model.Node
	for i, word := range verb {
		below := child(node, word)
		if below == nil {
			return noVerb(node, verb[:i], word)
		}
		node = below
	}
	_, err := k.Parse(append(append([]string(nil), verb...), "--help"))
	return err
}

// noVerb tells that there is no such verb below a node.
func noVerb(node *kong.Node, above []string, word string) error {
	var names []string
	for _, n := range node.Children {
		names = append(names, n.Name)
	}
	path := strings.Join(append([]string{"jobman help"}, above...), " ")
	p := usage("there is no verb %q", word)
	switch near := nearest(word, names); {
	case len(above) > 0 && len(names) == 0:
		return usage("%s has no verb below it", above[0]).try("%s", path)
	case near != "":
		return p.try("%s %s", path, near)
	}
	return p.try("%s", path)
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
