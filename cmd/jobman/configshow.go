package main

import (
	"slices"

	"github.com/alecthomas/kong"

	"jobman/config"
	"jobman/job"
)

type configShowCmd struct {
	Origin  bool   `help:"Say of each value where it comes from."`
	JobSpec string `placeholder:"NAME" help:"Show what a job of this job-spec would get."`
	Name    string `placeholder:"NAME" help:"Show what a job of this name would get."`
	Group   string `placeholder:"G" help:"Show what a job of this group would get."`

	Command []string `arg:"" optional:"" help:"After --: show what a job of this command would get."`
}

// Help implements kong's hook for the text below the summary.
func (*configShowCmd) Help() string {
	return `Prints options as a TOML file would set them, with the built-in defaults. Secrets
of callbacks are not shown.

Examples:
  jobman config                           all that is set
  jobman config show --origin             and where
  jobman config show --origin --name nightly --group etl -- rsync -a src dst`
}

// Run prints the configuration.
func (c *configShowCmd) Run(a *app) error {
	if a.words.after > 0 {
		return usage("config has no %q; it has show, check, paths, schema and trust", a.words.args[0]).try("jobman help config")
	}
	if err := a.settings.Err(); err != nil {
		a.note("what is wrong is not shown: %v; see jobman config check", err)
	}
	one := c.JobSpec != "" || c.Name != "" || c.Group != "" || len(a.words.command()) > 0
	sub := config.Subject{JobSpec: c.JobSpec, Command: a.words.command()}
	if _, given := a.flag("name"); given {
		sub.Name = &c.Name
	}
	if _, given := a.flag("group"); given {
		sub.Group = &c.Group
	}
	resolved, err := a.settings.Resolve(sub)
	if err != nil {
		return &problem{kind: "config", text: err.Error(), err: err}
	}
	var g runGrammar
	k, err := newParser(&g, helpWriter{})
	if err != nil {
		return err
	}
	schema := schemaOf(k.Model)
	var all []config.Setting
	for _, o := range schema.Common {
		if !o.Once && !one {
			all = append(all, orDefault(o, "")(a.settings.Find("", o.Name)))
		}
	}
	for _, o := range schema.Run {
		switch {
		case slices.Contains(shorts, o.Name), o.Once:
		case one && o.Name == "name":
			set, _ := resolved.Find(o.Name)
			set.Text = resolved.Name
			all = append(all, given(set, sub.Name, o))
		case one && o.Name == "group":
			set, _ := resolved.Find(o.Name)
			set.Text = resolved.Group
			all = append(all, given(set, sub.Group, o))
		default:
			all = append(all, orDefault(o, verbRun)(resolved.Find(o.Name)))
		}
	}
	if !one {
		for _, section := range a.settings.Sections() {
			all = append(all, a.settings.Tables(section)...)
		}
		all = append(all, variables(a.settings, schema)...)
	}
	all = slices.DeleteFunc(all, func(s config.Setting) bool { return s.Text == "" && len(s.List) == 0 })
	return c.print(a, all, one)
}

// given is a setting that the command line may have made.
func given(set config.Setting, text *string, o config.Option) config.Setting {
	if text != nil {
		set = config.Setting{Text: *text, Level: config.LevelFlag}
	}
	set.Section, set.Name, set.Option = verbRun, "", o.Name
	return set
}

// orDefault returns a setting, or the built-in default.
func orDefault(o config.Option, section string) func(config.Setting, bool) config.Setting {
	return func(set config.Setting, ok bool) config.Setting {
		if ok {
			if set.Section != "" {
				set.Section, set.Name = section, ""
			}
			if o.List {
				set.List = set.Items()
			}
			return set
		}
		set = config.Setting{Section: section, Option: o.Name, Text: o.Default}
		if set.Text == "" && o.Type == "boolean" {
			set.Text = "false"
		}
		return set
	}
}

// variables are those that set options of other verbs.
func variables(s *config.Settings, schema config.Schema) (all []config.Setting) {
	for _, verb := range schema.Verbs() {
		options, _ := schema.Verb(verb)
		for _, o := range options {
			if set, ok := s.Find(verb, o.Name); ok && set.Variable != "" {
				all = append(all, set)
			}
		}
	}
	return all
}

func (c *configShowCmd) print(a *app, all []config.Setting, one bool) error {
	for i := range all {
		all[i] = all[i].Redacted()
	}
	if a.JSON {
		return a.printJSON(map[string]any{"settings": settingViews(all)})
	}
	var comment func(config.Setting) string
	if c.Origin {
		comment = func(s config.Setting) string {
			if s.Variable == "" && s.File() == "" {
				return s.Level.String()
			}
			if !one || s.Level == config.LevelGlobal || s.Level == config.LevelVariable {
				return printable(s.Origin())
			}
			return printable(s.Level.String() + ", " + s.Origin())
		}
	}
	_, err := a.stdout.Write(config.AppendTOML(nil, all, comment))
	return err
}

// settingView is a setting as JSON.
type settingView struct {
	Section  string    `json:"section"`
	Name     *string   `json:"name"`
	Option   string    `json:"option"`
	Value    any       `json:"value"`
	Level    string    `json:"level"`
	Variable *string   `json:"variable"`
	File     *job.Text `json:"file"`
	Line     *int      `json:"line"`
}

func settingViews(all []config.Setting) []settingView {
	views := make([]settingView, len(all))
	for i, s := range all {
		views[i] = settingView{
			Section: s.Section, Name: known(s.Name), Option: s.Option, Value: s.Any(), Level: s.Level.String(),
			Variable: known(s.Variable), File: known(job.Text(s.File())), Line: known(s.Line()),
		}
	}
	return views
}

var _ kong.HelpProvider = (*configShowCmd)(nil)
