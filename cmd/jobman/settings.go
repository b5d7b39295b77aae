package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"jobman/config"
	"jobman/job"
)

// loadSettings reads the configuration.
func (a *app) loadSettings(model *kong.Application) error {
	a.settings = config.Load(a.places(), func() config.Schema { return schemaOf(model) })
	if a.lenient() {
		return nil
	}
	err := a.settings.Err()
	if err == nil {
		return nil
	}
	p := (&problem{kind: "config", text: err.Error(), err: err}).try("jobman config check")
	var all config.Problems
	if errors.As(err, &all) && all[0].Untrusted {
		return p.try("jobman config trust %s", quote([]job.Text{job.Text(all[0].File)}))
	}
	return p
}

// lenient tells whether a verb is to work with a configuration that can't be used.
func (a *app) lenient() bool {
	switch a.words.verb[0] {
	case "config", "help":
		return true
	case "doctor":
		return !a.given("rebuild") // which store it is may be set there
	}
	return slices.Contains(a.words.flags, "--help")
}

// places are where configuration is looked for.
func (a *app) places() config.Places {
	p := config.Places{File: os.Getenv(config.Variable("", "config-file")), Etc: "/etc/jobman"}
	if file, given := a.flag("config-file"); given {
		p.File = file
	}
	home, err := homeDir()
	if err != nil {
		home = "/nonexistent"
	}
	p.Home = home
	if here, err := os.Getwd(); err == nil {
		p.Here = here
	}
	p.Trusted = func(sum string) bool { return config.Trusts(filepath.Join(home, ".jobman"), sum) }
	return p
}

// flag is the value of a flag on the command line, the last one if there are several.
func (a *app) flag(name string) (value string, given bool) {
	given = a.words.cleared[name]
	for _, f := range a.words.flags {
		if v, ok := cutFlag(f, "--"+name); ok {
			value, given = v, true
		}
		given = given || f == "--"+name
	}
	return value, given
}

// subject is the job that is about to be submitted, as far as the command line and,
// with --from, its line say.
func (a *app) subject() config.Subject {
	sub := config.Subject{Command: a.words.command()}
	said := func(name string) *string {
		if v, given := a.flag(name); given {
			return &v
		}
		if a.line == nil {
			return nil
		}
		if v, said := a.line.options[name]; said {
			text, _ := v.(string) // nil is cleared
			return &text
		}
		return nil
	}
	sub.Name, sub.Group = said("name"), said("group")
	if spec := said("job-spec"); spec != nil {
		sub.JobSpec = *spec
	} else if v, ok := os.LookupEnv(config.Variable(verbRun, "job-spec")); ok && a.line == nil {
		sub.JobSpec = v
	}
	if a.line != nil {
		sub.Command = a.line.command
	}
	return sub
}

// settle resolves the options of the job that is about to be submitted.
func (a *app) settle() (err error) {
	a.resolved, err = a.settings.Resolve(a.subject())
	if err != nil {
		return (&problem{kind: "config", text: err.Error(), err: err}).try("jobman config check")
	}
	for _, name := range slices.Sorted(maps.Keys(a.words.cleared)) {
		if _, set := a.resolved.Find(name); !set && slices.Contains(harmful, name) {
			return usage("--%s is empty, and the configuration sets nothing that this would clear", name)
		}
	}
	return nil
}

// harmful are options whose empty value is most likely a variable that is not set:
// without them the job would run at once, or as somebody else.
var harmful = []string{"wait.file", "wait.nonopen-file", "wait.script", "wait.http", "wait.s3", "wait.job", "wait.sensor", "uid", "gid"}

// answer is a kong.Resolver: what holds for a flag that was not given.
func (a *app) answer(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if flag.Name == "help" || flag.Name == "version" || a.words.cleared[flag.Name] {
		return nil, nil
	}
	verb := ""
	if node := parent.Node(); node != nil && node.Type == kong.CommandNode {
		verb = configVerb(node)
	}
	var set config.Setting
	var ok bool
	switch {
	case verb != verbRun:
		set, ok = a.settings.Find(verb, flag.Name)
	case slices.Contains(shorts, flag.Name):
		return nil, nil // what it is short for is asked for as well
	default:
		if a.line != nil {
			if value, said := a.line.options[flag.Name]; said || a.line.resolved {
				return value, nil
			}
		}
		set, ok = a.resolved.Find(flag.Name)
	}
	if !ok {
		return nil, nil
	}
	value, err := settingValue(set, flag)
	if err != nil {
		return nil, &problem{kind: "config", text: err.Error(), err: err}
	}
	return value, nil
}

// settingValue is a setting as kong takes it for a flag, once it is known that kong
// will.
func settingValue(set config.Setting, flag *kong.Flag) (any, error) {
	value := set.Any()
	if flag.IsSlice() && set.List == nil {
		set.List = set.Items()
		value = set.Any()
	}
	scratch := reflect.New(flag.Target.Type()).Elem()
	was := flag.Set
	err := flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), scratch)
	flag.Set = was
	if err != nil {
		// kong says for which flag; where it was set says more.
		text := strings.TrimSpace(err.Error())
		if _, rest, ok := strings.Cut(text, flag.Name+": "); ok {
			text = rest
		}
		return nil, set.Problem(plainly(text))
	}
	if flag.Enum != "" {
		for _, item := range set.Items() {
			if !slices.Contains(flag.EnumSlice(), item) {
				return nil, set.Problem(fmt.Sprintf("%q is none of %s", item, strings.Join(flag.EnumSlice(), ", ")))
			}
		}
	}
	return value, nil
}

// given tells whether a flag is on the command line.
func (a *app) given(name string) bool {
	_, given := a.flag(name)
	return given
}
