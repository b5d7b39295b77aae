package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"jobman/callbacks"
	"jobman/config"
)

type configCheckCmd struct{}

// problemView is an error of the configuration as JSON.
type problemView struct {
	File    *string `json:"file"`
	Line    *int    `json:"line"`
	Key     *string `json:"key"`
	Message string  `json:"message"`
}

// Help implements kong's hook for the text below the summary.
func (*configCheckCmd) Help() string {
	return `Each error has its file, its line, and the nearest key that there is. Code 2 if there
is one.

Examples:
  jobman config check
  jobman --config-file new.toml config check`
}

// Run tells everything that is wrong with the configuration.
func (*configCheckCmd) Run(a *app) error {
	found, err := a.checkConfig()
	if err != nil {
		return err
	}
	if a.JSON {
		views := make([]problemView, len(found))
		for i, p := range found {
			views[i] = problemView{known(p.File), known(p.Line), known(p.Key), p.Text}
		}
		if err := a.printJSON(map[string]any{"problems": views}); err != nil {
			return err
		}
	} else {
		for _, p := range found {
			fmt.Fprintln(a.stdout, printable(p.Error()))
		}
	}
	if len(found) > 0 {
		return exitStatus(codeUsage)
	}
	if a.settings.Empty() && !a.JSON {
		a.note("there is no configuration")
	}
	return nil
}

// checker holds settings against the grammar.
type checker struct {
	*app
	k     *kong.Kong
	g     *grammar
	layer []config.Setting // what the parser is answered
	found config.Problems
}

// checkConfig finds all that is wrong with the files and the variables, and with what
// they set.
func (a *app) checkConfig() (config.Problems, error) {
	c := &checker{app: a, g: new(grammar)}
	var own config.Problems
	if errors.As(a.settings.Err(), &own) {
		c.found = append(c.found, own...)
	}
	var err error
	c.k, err = newParser(c.g, helpWriter{}, kong.Resolvers(kong.ResolverFunc(c.answer)))
	if err != nil {
		return nil, err
	}
	flags := map[string][]*kong.Flag{"": c.k.Model.Flags}
	for _, node := range c.k.Model.Children {
		flags[configVerb(node)] = node.Flags
		for _, child := range node.Children {
			flags[configVerb(child)] = child.Flags
		}
	}
	var layers [][]config.Setting
	a.settings.Each(func(set config.Setting) {
		verb := set.Section
		ofRun := config.OfRun(set.Section)
		if ofRun {
			verb = verbRun
		}
		flag := find(flags[verb], set.Option)
		if flag == nil {
			return // of a section that is no verb's
		}
		if _, err := settingValue(set, flag); err != nil {
			c.add(err)
			return
		}
		c.names(set)
		if !ofRun {
			return
		}
		if i := slices.IndexFunc(layers, func(l []config.Setting) bool {
			return l[0].Section == set.Section && l[0].Name == set.Name && l[0].File() == set.File()
		}); i >= 0 {
			layers[i] = append(layers[i], set)
			return
		}
		layers = append(layers, []config.Setting{set})
	})
	for _, l := range layers {
		c.together(l)
	}
	c.variables(flags)
	c.sections()
	c.found.Sort()
	return c.found, nil
}

func (c *checker) add(err error) {
	var p config.Problem
	if !errors.As(err, &p) {
		p = config.Problem{Text: err.Error()}
	}
	if !slices.Contains(c.found, p) {
		c.found = append(c.found, p)
	}
}

// variables checks those that set an option.
func (c *checker) variables(flags map[string][]*kong.Flag) {
	for _, verb := range slices.Sorted(maps.Keys(flags)) {
		for _, flag := range flags[verb] {
			if flag.Name == "help" || flag.Name == "version" {
				continue
			}
			if set, ok := c.settings.Find(verb, flag.Name); ok && set.Variable != "" {
				if _, err := settingValue(set, flag); err != nil {
					c.add(err)
				}
				c.names(set)
			}
		}
	}
}

// names checks that what an option names is there.
func (c *checker) names(set config.Setting) {
	for _, name := range set.Items() {
		var err error
		switch {
		case set.Option == keySensor:
			_, err = c.settings.Sensor(name)
		case strings.HasPrefix(set.Option, "notify"):
			err = c.settings.CheckNotify(name)
		default:
			return
		}
		var p config.Problem
		if errors.As(err, &p) && p.File == "" { // it is not there; what is wrong with it is told elsewhere
			c.add(set.Problem(p.Text))
		}
	}
}

// answer is a kong.Resolver for the settings of one table.
func (c *checker) answer(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, set := range c.layer {
		if set.Option == flag.Name && flag.Name != "help" && flag.Name != "version" {
			if value, err := settingValue(set, flag); err == nil && (set.Text != "" || len(set.List) > 0) {
				return value, nil
			}
		}
	}
	return nil, nil
}

// together checks what the options of a table ask for.
func (c *checker) together(layer []config.Setting) {
	c.layer = layer
	first := layer[0]
	for _, set := range layer {
		if set.Line() < first.Line() {
			first = set
		}
	}
	if _, err := c.k.Parse([]string{verbRun}); err != nil {
		c.add(first.TableProblem(strings.TrimPrefix(err.Error(), "--")))
		return
	}
	for _, err := range c.g.Run.contradictions(c.app) {
		c.add(first.TableProblem(strings.TrimPrefix(err.Error(), "--")))
	}
}

// sections checks those that are no verb's.
func (c *checker) sections() {
	for _, name := range c.settings.Names("sensors") {
		sensor, err := c.settings.Sensor(name)
		if err != nil {
			c.add(err)
			continue
		}
		for _, target := range sensor.Targets {
			if sensor.Kind == "job" {
				break // it must be there when the sensor is used
			}
			if _, err := c.target(sensor.Kind, target); err != nil {
				c.add(config.Problem{Key: "sensors." + name, Text: err.Error()})
			}
		}
	}
	for _, name := range c.settings.Names("callbacks") {
		found, err := c.settings.Callback(name)
		if err != nil {
			c.add(err)
			continue
		}
		c.templates(&found)
	}
	if _, err := c.settings.Reaper(); err != nil {
		c.add(err)
	}
}

// templates checks those of a callback's messages.
func (c *checker) templates(found *config.Callback) {
	if !slices.ContainsFunc(callbacks.Templates, func(key string) bool { return found.Keys[key] != nil }) {
		return
	}
	err := c.openAside()
	if err == nil {
		resolved := found.Resolve()
		err = c.CheckTemplates(c.ctx, &resolved)
	}
	if err != nil {
		c.add(config.Problem{Key: "callbacks." + found.Name, Text: err.Error()})
	}
}
