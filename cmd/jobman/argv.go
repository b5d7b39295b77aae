package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// A command line of jobman is read in two steps. This one finds the verb and
// where the command begins, so that kong never sees a word of the command; the
// rest it puts into the one form that kong reads without surprises: the full
// verb, flags with their values joined by =, then -- and the positionals.
//
//   - Without a verb the verb is run. For run everything from the first word
//     that is no flag, or after --, is the command; elsewhere flags may follow
//     positionals.
//   - -word that is exactly a long flag's name is --word.
//   - A negative number may be a flag's value or a positional.
//   - --no-NAME is --NAME=false for every boolean flag.

// words is a command line taken apart.
type words struct {
	argv     []string // all of it
	verb     []string // for kong: "run", or "kill", "job"
	implicit bool     // no verb was written
	dashed   bool     // there was a --
	flags    []string
	args     []string // positionals; for run the command
	after    int      // how many of args stand before --

	cleared map[string]bool // flags that were given an empty text
}

// command is the command among the positionals.
func (w words) command() []string {
	if w.verb[0] == verbRun {
		return w.args
	}
	return w.args[w.after:]
}

func (w words) kong() []string {
	argv := slices.Concat(w.verb, w.flags)
	args := w.args
	switch w.verb[0] {
	case verbRun:
		return argv
	case "rerun":
		args = args[:w.after]
	}
	if len(args) > 0 {
		argv = append(append(argv, "--"), args...)
	}
	return argv
}

// isNumber tells whether a word is a negative number.
func isNumber(word string) bool {
	digits, negative := strings.CutPrefix(word, "-")
	return negative && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// split takes argv (without the program's name) apart by the flags that the
// grammar knows.
func split(app *kong.Application, argv []string) (words, error) {
	w := words{argv: argv}
	var known []*kong.Flag
	verbs := map[string]*kong.Node{}
	for _, node := range app.Children {
		verbs[node.Name] = node
	}
	known = append(known, app.Flags...)
	// Flags before the verb may be run's: it is the verb where there is none.
	known = append(known, verbs["run"].Flags...)
	verb := (*kong.Node)(nil)
	for i := 0; i < len(argv); i++ {
		arg := argv[i]
		switch {
		case arg == "--":
			w.after = len(w.args)
			w.args = append(w.args, argv[i+1:]...)
			w.dashed = true
			i = len(argv)
		case len(arg) > 1 && arg[0] == '-' && (!isNumber(arg) || verb == nil || verb.Name == "run"):
			used, err := w.flag(known, argv[i:])
			if err != nil {
				return w, err
			}
			i += used - 1
		case verb == nil && verbs[arg] != nil:
			verb = verbs[arg]
			w.verb = []string{arg}
			known = append(slices.Clone(app.Flags), flagsBelow(verb)...)
		case verb == nil || verb.Name == "run":
			w.args = append(w.args, argv[i:]...)
			i = len(argv)
		case len(w.verb) == 1 && len(w.args) == 0 && child(verb, arg) != nil:
			w.verb = append(w.verb, arg)
		default:
			w.args = append(w.args, arg)
		}
	}
	if !w.dashed {
		w.after = len(w.args)
	}
	switch {
	case verb == nil:
		w.verb, w.implicit = []string{verbRun}, true
	case len(w.verb) == 1 && child(verb, "job") != nil:
		w.verb = append(w.verb, "job")
	case w.verb[0] == "config" && len(w.verb) == 1:
		w.verb = append(w.verb, "show")
	}
	if w.verb[0] == "rerun" && w.after > 1 {
		return w, usage("rerun takes one job; another command for it comes after --").
			try("jobman rerun %s -- %s", w.args[0], strings.Join(w.args[1:w.after], " "))
	}
	return w, w.writeOut()
}

func child(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func flagsBelow(node *kong.Node) []*kong.Flag {
	flags := slices.Clone(node.Flags)
	for _, c := range node.Children {
		flags = append(flags, c.Flags...)
	}
	return flags
}

// flag takes in one flag, with its value where that is the next word, and
// returns how many words that was.
func (w *words) flag(known []*kong.Flag, argv []string) (int, error) {
	arg := argv[0]
	name, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	f := find(known, name)
	if !strings.HasPrefix(arg, "--") && f == nil {
		return w.short(known, argv)
	}
	if f == nil {
		if base, no := strings.CutPrefix(name, "no-"); no && !joined {
			if f = find(known, base); f != nil && f.IsBool() {
				w.flags = append(w.flags, "--"+base+"=false")
				return 1, nil
			}
		}
		return 0, w.unknownFlag(known, arg)
	}
	switch {
	case joined:
		w.flags = append(w.flags, "--"+name+"="+value)
	case f.IsBool():
		if strings.Contains(name, ".") && len(argv) > 1 && (argv[1] == "true" || argv[1] == "false") {
			return 0, usage("--%s takes its value after =: the word %q would be the command", name, argv[1]).
				try("jobman --%s=%s ...", name, argv[1])
		}
		w.flags = append(w.flags, "--"+name)
	default:
		return w.value(f, "--"+name, argv)
	}
	return 1, nil
}

// short takes in -x, -xVALUE or -x VALUE, and bundles such as -av.
func (w *words) short(known []*kong.Flag, argv []string) (int, error) {
	body := argv[0][1:]
	for i, c := range body {
		f := findShort(known, c)
		if f == nil {
			return 0, w.unknownFlag(known, argv[0])
		}
		rest := body[i+len(string(c)):]
		switch {
		case f.IsBool() && strings.HasPrefix(rest, "="):
			w.flags = append(w.flags, "--"+f.Name+rest)
			return 1, nil
		case f.IsBool():
			w.flags = append(w.flags, "--"+f.Name)
		case rest != "":
			w.flags = append(w.flags, "--"+f.Name+"="+strings.TrimPrefix(rest, "="))
			return 1, nil
		default:
			return w.value(f, "--"+f.Name, argv)
		}
	}
	return 1, nil
}

func (w *words) value(f *kong.Flag, flag string, argv []string) (int, error) {
	if len(argv) < 2 {
		return 0, usage("%s needs a value", flag)
	}
	if v := argv[1]; len(v) > 1 && v[0] == '-' && !isNumber(v) {
		if v[1] >= '0' && v[1] <= '9' && f.Target.Kind() != reflect.String && !f.IsSlice() {
			return 0, usage("%s: %q is negative", flag, v)
		}
		return 0, usage("%s needs a value, and %q looks like a flag", flag, v).try("%s", w.retyped(argv[0]+" "+v, argv[0]+"="+v))
	}
	w.flags = append(w.flags, flag+"="+argv[1])
	return 2, nil
}

// unknownFlag is found here, because what follows would be the command.
func (w *words) unknownFlag(known []*kong.Flag, arg string) error {
	names := make([]string, 0, len(known))
	for _, f := range known {
		names = append(names, f.Name)
	}
	flag, _, _ := strings.Cut(arg, "=")
	p := usage("unknown flag %s", flag)
	if near := nearest(strings.TrimLeft(flag, "-"), names); near != "" {
		return p.try("%s", w.retyped(flag, "--"+near))
	}
	verb := verbRun
	if len(w.verb) > 0 {
		verb = strings.Join(w.verb, " ")
	}
	if verb == verbRun {
		p.text += "; the command's own flags come after it"
	}
	return p.try("jobman help %s", verb)
}

func find(flags []*kong.Flag, name string) *kong.Flag {
	for _, f := range flags {
		if f.Name == name || slices.Contains(f.Aliases, name) {
			return f
		}
	}
	return nil
}

func findShort(flags []*kong.Flag, c rune) *kong.Flag {
	for _, f := range flags {
		if f.Short == c {
			return f
		}
	}
	return nil
}
