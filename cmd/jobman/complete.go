package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"jobman/config"
)

// What the scripts of `jobman completion` call as the user types:
//
//	jobman __complete SHELL KEPT WORD...
//
// The last word is the one to complete, up to the cursor, and may be empty. KEPT is
// what of its beginning the shell keeps, which is bash's way with = and : alone; there
// words come, and candidates go, as they are quoted. The first line of the answer says
// what else the shell is to offer:
//
//	words      nothing
//	files      files
//	dirs       directories
//	command N  what it would offer if the line began with word N (from 0)
//
// Each other line is a candidate, perhaps with a tab and what it is. Nothing is
// created, nothing is done for jobs, and what goes wrong is left out.
const completeVerb = "__complete"

// candidate is what a word could be.
type candidate struct{ value, about string }

// completion is what there is to complete.
type completion struct {
	also       string // "words", "files", "dirs" or "command N"
	candidates []candidate
}

func onlyWords(all ...candidate) completion { return completion{also: "words", candidates: all} }

// values are candidates that need no words.
func values(all ...string) completion {
	c := onlyWords()
	for _, v := range all {
		c.candidates = append(c.candidates, candidate{v, ""})
	}
	return c
}

// complete answers one call.
func (a *app) complete(argv []string) {
	if len(argv) < 3 {
		return
	}
	shell, kept, line := argv[0], argv[1], slices.Clone(argv[2:])
	quoting := plain
	if shell == "bash" {
		last := len(line) - 1
		quoting = quotingOf(strings.TrimPrefix(line[last], kept))
		for i := range line {
			line[i] = unquote(line[i])
		}
		kept = unquote(kept)
	}
	k, err := newParser(new(grammar), helpWriter{io.Discard, io.Discard})
	if err != nil {
		return
	}
	t := readTyped(k.Model, line[:len(line)-1])
	a.settings = config.Load(a.typedPlaces(t), func() config.Schema { return schemaOf(k.Model) })
	last := line[len(line)-1]
	c := a.completionOf(k.Model, t, last)
	fmt.Fprintln(a.stdout, c.also)
	for _, c := range c.candidates {
		if !strings.HasPrefix(c.value, last) || printable(c.value) != c.value {
			continue
		}
		value := c.value
		if shell == "bash" {
			rest, ok := strings.CutPrefix(value, kept)
			if !ok {
				continue
			}
			value = quoting.quote(rest)
		}
		if c.about != "" {
			value += "\t" + shorten(c.about, 60)
		}
		fmt.Fprintln(a.stdout, value)
	}
}

// typed is a command line as far as it is typed: split, for lines that are not
// finished and may be wrong.
type typed struct {
	verb    *kong.Node // nil: none yet
	sub     *kong.Node // of a verb of two words
	known   []*kong.Flag
	flags   map[string]string
	pending *kong.Flag // the flag whose value comes next
	dashed  bool
	args    []string
	command int // where the command begins, or -1
	before  int // how many words there are
}

func readTyped(app *kong.Application, line []string) *typed {
	t := &typed{flags: map[string]string{}, command: -1, before: len(line)}
	run := child(app.Node, verbRun)
	t.known = slices.Concat(app.Flags, run.Flags)
	for i, arg := range line {
		isRun := t.verb == nil || t.verb == run
		switch {
		case t.pending != nil:
			t.flags[t.pending.Name], t.pending = arg, nil
		case arg == "--" && (isRun || t.verb.Name == "rerun"):
			t.command = i + 1
			return t
		case t.dashed:
			t.args = append(t.args, arg)
		case arg == "--":
			t.dashed = true
		case len(arg) > 1 && arg[0] == '-' && (!isNumber(arg) || isRun):
			t.takeFlag(arg)
		case t.verb == nil && child(app.Node, arg) != nil:
			t.verb = child(app.Node, arg)
			t.known = slices.Concat(app.Flags, flagsBelow(t.verb))
		case isRun:
			t.command = i
			return t
		case t.sub == nil && len(t.args) == 0 && child(t.verb, arg) != nil:
			t.sub = child(t.verb, arg)
			t.known = slices.Concat(app.Flags, t.sub.Flags)
		default:
			t.args = append(t.args, arg)
		}
	}
	return t
}

// takeFlag takes in a flag; of one whose value comes next it is pending.
func (t *typed) takeFlag(arg string) {
	name, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	f := find(t.known, name)
	if f == nil && !strings.HasPrefix(arg, "--") {
		for i, c := range arg[1:] {
			f = findShort(t.known, c)
			if f == nil {
				return
			}
			if rest := arg[1+i+len(string(c)):]; !f.IsBool() && rest != "" {
				value, joined = rest, true
				break
			}
		}
	}
	switch {
	case f == nil:
	case joined || f.IsBool():
		t.flags[f.Name] = value
	default:
		t.pending = f
	}
}

// typedPlaces are where configuration is looked for, for a line that is typed.
func (a *app) typedPlaces(t *typed) config.Places {
	if file := t.flags["config-file"]; file != "" {
		a.words.flags = []string{"--config-file=" + expandHome(file)}
	}
	return a.places()
}

// expandHome does what the shell will do with ~/ once the line is entered.
func expandHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return home + "/" + rest
		}
	}
	return path
}

// completionOf finds what the word after a line could be.
func (a *app) completionOf(app *kong.Application, t *typed, last string) completion {
	run := t.verb == nil || t.verb.Name == verbRun
	if t.command >= 0 {
		return completion{also: fmt.Sprintf("command %d", t.command)}
	}
	if t.pending != nil {
		c := a.flagValues(t, t.pending, last)
		c.candidates = slices.DeleteFunc(c.candidates, func(c candidate) bool { return strings.HasPrefix(c.value, "-") }) // they need =
		return c
	}
	if name, value, joined := strings.Cut(last, "="); joined && strings.HasPrefix(last, "--") {
		f := find(t.known, name[2:])
		if f == nil {
			return onlyWords()
		}
		c := a.flagValues(t, f, value)
		for i := range c.candidates {
			c.candidates[i].value = name + "=" + c.candidates[i].value
		}
		return c
	}
	if strings.HasPrefix(last, "-") && !t.dashed {
		return flagNames(t.known, last)
	}
	if run {
		c := onlyWords()
		if last != "" {
			c.also = fmt.Sprintf("command %d", t.before)
		}
		if t.verb == nil {
			c.candidates = nodes(app.Node)
		}
		return c
	}
	return a.positional(app, t, last)
}

// flagNames are the flags there are, in the form that was begun.
func flagNames(known []*kong.Flag, last string) completion {
	dashes := "--"
	if len(last) > 1 && last[1] != '-' {
		dashes = "-"
	}
	c := onlyWords()
	for _, f := range known {
		if !f.Hidden {
			c.candidates = append(c.candidates, candidate{dashes + f.Name, f.Help})
		}
	}
	return c
}

// nodes are the verbs below a node.
func nodes(of *kong.Node) (all []candidate) {
	for _, n := range of.Children {
		if !n.Hidden {
			all = append(all, candidate{n.Name, n.Help})
		}
	}
	return all
}
