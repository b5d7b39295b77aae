package main

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"jobman/config"
)

var update = flag.Bool("update", false, "write the manual pages")

// manDate is the date of the pages: that of their last change by hand.
const manDate = "November 26, 2026"

// manDir holds the pages, and in in/ what is written by hand.
const manDir = "../../man"

func TestManualPagesAreUpToDate(t *testing.T) {
	pages, err := manualPages()
	if err != nil {
		t.Fatal(err)
	}
	there, err := filepath.Glob(manDir + "/*.[0-9]")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		if _, ok := pages[filepath.Base(file)]; !ok && !*update {
			t.Errorf("%s is of no verb any more", file)
		} else if !ok {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, text := range pages {
		file := filepath.Join(manDir, name)
		if *update {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != text {
			t.Errorf("%s is not up to date (%v): make man", name, err)
		}
	}
}

// manualPages makes all pages.
func manualPages() (map[string]string, error) {
	k, err := newParser(new(grammar), helpWriter{io.Discard, io.Discard})
	if err != nil {
		return nil, err
	}
	pages := map[string]string{}
	for _, n := range k.Model.Children {
		if n.Hidden {
			continue
		}
		p, err := verbPage(k.Model, n)
		if err != nil {
			return nil, err
		}
		pages["jobman-"+n.Name+".1"] = p
	}
	if pages["jobman.1"], err = programPage(k.Model); err != nil {
		return nil, err
	}
	if pages["jobman-config.5"], err = configPage(k.Model); err != nil {
		return nil, err
	}
	pages["jobman.7"], err = written("jobman.7")
	return pages, err
}

// written is what stands in man/in, "" where there is nothing of that name.
func written(name string) (string, error) {
	b, err := os.ReadFile(filepath.Join(manDir, "in", name))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return strings.ReplaceAll(string(b), "@DATE@", manDate), err
}

// programPage is jobman(1).
func programPage(app *kong.Application) (string, error) {
	var p manual
	p.head("jobman", "1", app.Help)
	p.macro("Sh", "SYNOPSIS")
	p.macro("Nm", "jobman")
	p.macro("Op", "Ar", "option ...")
	p.macro("Ar", "command")
	p.macro("Op", "Ar", "argument ...")
	p.macro("Nm", "jobman")
	p.macro("Ar", "verb")
	p.macro("Op", "Ar", "option ...")
	p.macro("Op", "Ar", "argument ...")
	p.macro("Sh", "DESCRIPTION")
	prose, err := written("jobman.1")
	if err != nil {
		return "", err
	}
	description, rest, _ := strings.Cut(prose, ".\\\" OPTIONS\n")
	p.WriteString(description)
	p.macro("Pp")
	p.line("The verbs are:")
	p.macro("Bl", "-tag", "-width", "completion")
	for _, n := range app.Children {
		if !n.Hidden {
			p.macro("It", "Cm", n.Name)
			p.text(n.Help)
			p.line("See")
			p.macro("Xr", "jobman-"+n.Name, "1", ".")
		}
	}
	p.macro("El")
	p.macro("Pp")
	p.line("The options of all verbs are:")
	p.flags(app.Flags)
	p.WriteString(rest)
	return p.String(), nil
}

// verbPage is the page of a verb.
func verbPage(app *kong.Application, verb *kong.Node) (string, error) {
	var p manual
	name := "jobman-" + verb.Name
	p.head(name, "1", verb.Help)
	p.macro("Sh", "SYNOPSIS")
	forms := []*kong.Node{verb}
	if len(verb.Children) > 0 {
		forms = verb.Children
	}
	for _, n := range forms {
		p.macro("Nm", "jobman", strings.TrimPrefix(n.Path(), "jobman "))
		p.macro("Op", "Ar", "option ...")
		for _, a := range n.Positional {
			p.positional(a)
		}
	}
	p.macro("Sh", "DESCRIPTION")
	for i, n := range forms {
		if len(forms) > 1 {
			p.macro("Ss", mdocText(strings.TrimPrefix(n.Path(), "jobman ")))
		} else if i > 0 {
			p.macro("Pp")
		}
		p.text(n.Help)
		p.detail(n.Detail)
		if len(n.Positional) > 0 {
			p.macro("Bl", "-tag", "-width", "Ds")
			for _, a := range n.Positional {
				p.macro("It", "Ar", arg(a.Name))
				p.text(a.Help)
			}
			p.macro("El")
		}
		if len(n.Flags) > 0 {
			p.macro("Pp")
			p.line("Its options are:")
			p.flags(n.Flags)
		}
	}
	p.macro("Pp")
	p.line("Those of all verbs are in")
	p.macro("Xr", "jobman", "1", ".")
	prose, err := written(name + ".1")
	p.WriteString(prose)
	if !strings.Contains(prose, ".Sh SEE ALSO") {
		p.macro("Sh", "SEE ALSO")
		p.macro("Xr", "jobman", "1", ",")
		p.macro("Xr", "jobman-config", "5", ",")
		p.macro("Xr", "jobman", "7")
	}
	return p.String(), err
}

// positional writes an argument for a synopsis.
func (p *manual) positional(a *kong.Positional) {
	name := arg(a.Name)
	if a.IsCumulative() || a.Passthrough {
		name = `"` + strings.Trim(name, `"`) + ` ..."`
	}
	if a.Required {
		p.macro("Ar", name)
	} else {
		p.macro("Op", "Ar", name)
	}
}

// flags writes a list of flags, by their groups.
func (p *manual) flags(flags []*kong.Flag) {
	groups := []string{}
	of := map[string][]*kong.Flag{}
	for _, f := range flags {
		if f.Hidden || f.Name == "help" && f.Group == nil {
			continue
		}
		title := ""
		if f.Group != nil {
			title = f.Group.Title
		}
		if of[title] == nil {
			groups = append(groups, title)
		}
		of[title] = append(of[title], f)
	}
	for _, title := range groups {
		if len(groups) > 1 && title != "" {
			p.macro("Pp")
			p.line(title + ":")
		}
		p.macro("Bl", "-tag", "-width", "Ds")
		for _, f := range of[title] {
			p.flag(f)
		}
		p.macro("El")
	}
}

func (p *manual) flag(f *kong.Flag) {
	var item []string
	if f.Short != 0 {
		item = append(item, "Fl", string(f.Short), ",")
	}
	item = append(item, "Fl", "\\-"+f.Name)
	if !f.IsBool() {
		placeholder := f.PlaceHolder
		if placeholder == "" {
			placeholder = strings.ToUpper(f.Name[strings.LastIndexByte(f.Name, '.')+1:])
		}
		item = append(item, "Ar", arg(placeholder))
	}
	p.macro("It", item...)
	help := f.Help
	if f.Default != "" && !strings.Contains(help, "default") {
		help = strings.TrimSuffix(help, ".") + " (default: " + f.Default + ")."
	}
	p.text(help)
}

// configPage is jobman-config(5): written by hand, with the options and keys.
func configPage(app *kong.Application) (string, error) {
	prose, err := written("jobman-config.5")
	if err != nil {
		return "", err
	}
	schema := schemaOf(app)
	var lists manual
	list := func(options []config.Option) {
		lists.macro("Bl", "-tag", "-width", "Ds", "-compact")
		for _, o := range options {
			if !o.Once {
				lists.macro("It", "Ic", arg(fileName(o.Name)), "Pq", o.Type+map[bool]string{true: "s", false: ""}[o.List])
				lists.text(o.Help)
			}
		}
		lists.macro("El")
	}
	lists.macro("Ss", "Common options, above all tables")
	list(schema.Common)
	lists.macro("Ss", mdocText("Options of run, in [run], [patterns], [groups], [names] and [job_spec]"))
	list(schema.Run)
	for _, verb := range schema.Verbs() {
		if options, ok := schema.Verb(verb); ok {
			lists.macro("Ss", "Options of "+verb+", in ["+verb+"]")
			list(options)
		}
	}
	for _, section := range []string{"sensors", "callbacks", "reaper"} {
		lists.macro("Ss", "Keys of ["+section+map[bool]string{true: "]", false: ".NAME]"}[section == "reaper"])
		options, err := sectionKeys(schema, section)
		if err != nil {
			return "", err
		}
		list(options)
	}
	return strings.Replace(prose, ".\\\" OPTIONS\n", lists.String(), 1), nil
}

// fileName is what an option is called in a file: notify and timeout are tables there.
func fileName(option string) string {
	if option == "notify" {
		return "notify.any"
	}
	return option
}

// sectionKeys are those of a section, as its JSON Schema has them.
func sectionKeys(schema config.Schema, section string) (all []config.Option, err error) {
	b, err := json.Marshal(config.JSONSchema(schema))
	if err != nil {
		return nil, err
	}
	type object struct {
		Type any `json:"type"` // several where a list may be one text

		Description string            `json:"description"`
		Properties  map[string]object `json:"properties"`
		Additional  json.RawMessage   `json:"additionalProperties"`
	}
	var root object
	if err := json.Unmarshal(b, &root); err != nil {
		return nil, err
	}
	table := root.Properties[section]
	if len(table.Properties) == 0 {
		if err := json.Unmarshal(table.Additional, &table); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(table.Properties)) {
		key := table.Properties[name]
		kind, ok := key.Type.(string)
		if !ok {
			kind = "string"
		}
		all = append(all, config.Option{Name: name, Type: kind, Help: key.Description})
	}
	return all, nil
}
