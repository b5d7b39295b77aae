package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"jobman/config"
	"jobman/job"
)

// onCommandLine are the options that make no sense in a file: they say what one call
// is to do.
var onCommandLine = []string{"from", "all-or-nothing", "job-spec", "rerun-by-name", "rerun-by-id", "config-file"}

// schemaOf is what options there are, as the grammar has them. Where that is run's
// alone, those of other verbs are looked for when they are asked for.
func schemaOf(app *kong.Application) config.Schema {
	s := config.Schema{Common: options(app.Flags)}
	for _, node := range app.Children {
		if node.Name == verbRun {
			s.Run = options(node.Flags)
		}
	}
	var verbs map[string][]config.Option
	others := func() map[string][]config.Option {
		if verbs == nil {
			verbs = verbOptions(app)
		}
		return verbs
	}
	s.Verb = func(name string) ([]config.Option, bool) {
		options, ok := others()[name]
		return options, ok
	}
	s.Verbs = func() (names []string) {
		for name := range others() {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	return s
}

// verbRun is the verb that options without a verb are of.
const verbRun = "run"

// verbOptions are the options of all verbs but run.
func verbOptions(app *kong.Application) map[string][]config.Option {
	if len(app.Children) == 1 {
		var g struct {
			jobVerbs
			upkeepVerbs
		}
		k, err := newParser(&g, helpWriter{})
		if err != nil {
			return nil
		}
		app = k.Model
	}
	verbs := map[string][]config.Option{}
	for _, node := range app.Children {
		if node.Name == verbRun {
			continue
		}
		for _, of := range append([]*kong.Node{node}, node.Children...) {
			if all := options(of.Flags); len(all) > 0 {
				verbs[configVerb(of)] = all
			}
		}
	}
	// All other options of rerun are the original's.
	verbs["rerun"] = []config.Option{{Name: "unique", Type: "boolean"}, {Name: "follow", Type: "boolean"}}
	return verbs
}

// configVerb is what a verb is called in a configuration: kill-run for `kill run`,
// kill for `kill job`.
func configVerb(node *kong.Node) string {
	verb := strings.TrimPrefix(node.Path(), "jobman ")
	return strings.ReplaceAll(strings.TrimSuffix(verb, " job"), " ", "-")
}

func options(flags []*kong.Flag) (all []config.Option) {
	for _, f := range flags {
		if f.Name == "help" || f.Name == "version" {
			continue
		}
		o := config.Option{
			Name: f.Name, Type: "string", List: f.IsSlice(),
			Codes: f.Target.Type() == reflect.TypeFor[job.Codes](), Help: f.Help, Default: f.Default,
			Once: slices.Contains(onCommandLine, f.Name),
		}
		kind := f.Target.Type()
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch {
		case f.IsBool():
			o.Type = "boolean"
		case kind.Kind() == reflect.Float64:
			o.Type = "number"
		case kind == reflect.TypeFor[int]():
			o.Type = "integer"
		}
		if f.Enum != "" {
			o.Enum = f.EnumSlice()
		}
		all = append(all, o)
	}
	return all
}
