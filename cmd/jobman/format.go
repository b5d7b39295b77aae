package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"jobman/job"
)

// formatter prints a job by a template of package text/template, over the keys of its
// JSON form, and beside them state and next, as the table has them.
type formatter struct {
	app  *app
	t    *template.Template
	runs bool
}

// null is what is unknown: it prints as nothing, is false, and is null as JSON.
type null string

// shown is a text that is printed without control characters.
type shown string

func (s shown) String() string { return printable(string(s)) }

// MarshalJSON implements json.Marshaler.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// newFormatter reads a template; what is wrong with it is a usage error.
func (a *app) newFormatter(text string, runs bool) (*formatter, error) {
	t, err := template.New("--format").Funcs(template.FuncMap{"json": jsonText}).Parse(strings.ReplaceAll(text, `\t`, "\t"))
	if err != nil {
		return nil, usage("%s", strings.TrimPrefix(err.Error(), "template: ")).try("jobman list --format '{{.id}} {{.state}}'")
	}
	f := &formatter{app: a, t: t, runs: runs}
	keys, err := f.values(&job.Job{Phase: job.Waiting}, time.Time{})
	if err != nil {
		return nil, err
	}
	known := slices.Sorted(maps.Keys(keys))
	if t.Tree != nil {
		if key := unknownKey(t.Root, known, true); key != "" {
			p := usage("--format: a job has no key %q; it has %s", key, strings.Join(known, ", "))
			if near := nearest(key, known); near != "" {
				return nil, usage("--format: a job has no key %q", key).try("%s", a.words.retyped(text, strings.ReplaceAll(text, "."+key, "."+near)))
			}
			return nil, p
		}
	}
	return f, nil
}

// print prints a job.
func (f *formatter) print(j *job.Job, now time.Time) error {
	values, err := f.values(j, now)
	if err != nil {
		return err
	}
	var line bytes.Buffer
	if err := f.t.Execute(&line, values); err != nil {
		return usage("%s", strings.TrimPrefix(err.Error(), "template: "))
	}
	_, err = fmt.Fprintln(f.app.stdout, line.String())
	return err
}

// values is what a template has of a job.
func (f *formatter) values(j *job.Job, now time.Time) (map[string]any, error) {
	text, err := json.Marshal(f.app.view(j, f.runs))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil {
		return nil, err
	}
	for key, v := range values {
		values[key] = forTemplate(v)
	}
	values["state"], values["next"] = shown(state(j)), shown(nextShort(j, now))
	return values, nil
}

// forTemplate turns values of JSON into those that templates can compare.
func forTemplate(v any) any {
	switch v := v.(type) {
	case nil:
		return null("")
	case string:
		return shown(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for key, inner := range v {
			v[key] = forTemplate(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = forTemplate(inner)
		}
	}
	return v
}

// jsonText is the function json of templates.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// unknownKey finds a key of a job in a template that there is not; top tells whether the
// dot is the job there.
func unknownKey(n parse.Node, known []string, top bool) string {
	check := func(idents []string) string {
		if len(idents) > 0 && !slices.Contains(known, idents[0]) {
			return idents[0]
		}
		return ""
	}
	first := func(found ...string) string {
		i := slices.IndexFunc(found, func(s string) bool { return s != "" })
		if i < 0 {
			return ""
		}
		return found[i]
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return ""
		}
		for _, inner := range n.Nodes {
			if key := unknownKey(inner, known, top); key != "" {
				return key
			}
		}
	case *parse.ActionNode:
		return unknownKey(n.Pipe, known, top)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			for _, arg := range c.Args {
				if key := unknownKey(arg, known, top); key != "" {
					return key
				}
			}
		}
	case *parse.FieldNode:
		if top {
			return check(n.Ident)
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			return check(n.Ident[1:])
		}
	case *parse.IfNode:
		return first(unknownKey(n.Pipe, known, top), unknownKey(n.List, known, top), unknownKey(n.ElseList, known, top))
	case *parse.RangeNode:
		return first(unknownKey(n.Pipe, known, top), unknownKey(n.List, known, false), unknownKey(n.ElseList, known, top))
	case *parse.WithNode:
		return first(unknownKey(n.Pipe, known, top), unknownKey(n.List, known, false), unknownKey(n.ElseList, known, top))
	}
	return ""
}
