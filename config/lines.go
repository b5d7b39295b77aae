package config

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	hclast "github.com/hashicorp/hcl/hcl/ast"
	hclparser "github.com/hashicorp/hcl/hcl/parser"
	"github.com/pelletier/go-toml/v2/unstable"
	"go.yaml.in/yaml/v3"
)

// line is where a key stands in the file, from 1; 0 if that is unknown. It is only
// looked for when somebody is told.
func (f *file) line(path []string) int {
	if f.lines == nil {
		l := lines{}
		switch f.format {
		case "toml":
			l.toml(f.text)
		case "yaml":
			var document yaml.Node
			if yaml.Unmarshal(f.text, &document) == nil {
				l.yaml(nil, &document)
			}
		case "json":
			l.json(f.text)
		case "hcl":
			if document, err := hclparser.Parse(f.text); err == nil {
				l.hcl(nil, document.Node)
			}
		default:
			l.plain(f.text)
		}
		f.lines = l
	}
	return f.lines[strings.Join(path, ".")]
}

// lines are those of keys, by their paths with dots between.
type lines map[string]int

// add notes the first line of a key.
func (l lines) add(path []string, line int) {
	if key := strings.Join(path, "."); l[key] == 0 {
		l[key] = line
	}
}

func (l lines) toml(text []byte) {
	var p unstable.Parser
	p.Reset(text)
	var table []string
	counts := map[string]int{}
	for p.NextExpression() {
		e := p.Expression()
		var path []string
		line := 0
		if e.Kind != unstable.Table && e.Kind != unstable.ArrayTable {
			path = append(path, table...)
		}
		for k := e.Key(); k.Next(); {
			path = append(path, string(k.Node().Data))
			if line == 0 {
				line = p.Shape(k.Node().Raw).Start.Line
			}
		}
		switch e.Kind {
		case unstable.ArrayTable:
			key := strings.Join(path, ".")
			counts[key]++
			table = append(path, strconv.Itoa(counts[key]))
			l.add(table, line)
		case unstable.Table:
			table = path
			l.add(path, line)
		case unstable.KeyValue:
			l.add(path, line)
			l.inline(&p, path, e.Value())
		}
	}
}

// inline are the tables within a value of TOML.
func (l lines) inline(p *unstable.Parser, path []string, value *unstable.Node) {
	switch value.Kind {
	case unstable.InlineTable:
		for c := value.Children(); c.Next(); {
			inner := append([]string{}, path...)
			line := 0
			for k := c.Node().Key(); k.Next(); {
				inner = append(inner, string(k.Node().Data))
				line = p.Shape(k.Node().Raw).Start.Line
			}
			l.add(inner, line)
			l.inline(p, inner, c.Node().Value())
		}
	case unstable.Array:
		n := 0
		for c := value.Children(); c.Next(); {
			n++
			l.inline(p, append(append([]string{}, path...), strconv.Itoa(n)), c.Node())
		}
	}
}

func (l lines) yaml(path []string, n *yaml.Node) {
	deeper := func(key string) []string { return append(append([]string{}, path...), key) }
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			l.yaml(path, c)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := deeper(n.Content[i].Value)
			l.add(key, n.Content[i].Line)
			l.yaml(key, n.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			l.yaml(deeper(strconv.Itoa(i+1)), c)
		}
	}
}

func (l lines) json(text []byte) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value func(path []string)
	value = func(path []string) {
		deeper := func(key string) []string { return append(append([]string{}, path...), key) }
		t, err := d.Token()
		if err != nil {
			return
		}
		switch t {
		case json.Delim('{'):
			for d.More() {
				key, err := d.Token()
				name, ok := key.(string)
				if err != nil || !ok {
					return
				}
				l.add(deeper(name), lineAt(text, d.InputOffset()))
				value(deeper(name))
			}
		case json.Delim('['):
			for n := 1; d.More(); n++ {
				value(deeper(strconv.Itoa(n)))
			}
		default:
			return
		}
		if _, err := d.Token(); err != nil { // what closes it
			return
		}
	}
	value(nil)
}

func (l lines) hcl(path []string, node hclast.Node) {
	list, ok := node.(*hclast.ObjectList)
	if object, is := node.(*hclast.ObjectType); is {
		list, ok = object.List, true
	}
	if !ok {
		return
	}
	patterns := 0
	for _, item := range list.Items {
		inner := append([]string{}, path...)
		for _, key := range item.Keys {
			name, ok := key.Token.Value().(string)
			if !ok {
				return
			}
			inner = append(inner, name)
			l.add(inner, key.Pos().Line)
		}
		if len(path) == 0 && len(inner) == 1 && inner[0] == sectionPatterns {
			patterns++
			inner = append(inner, strconv.Itoa(patterns))
		}
		l.hcl(inner, item.Val)
	}
}

// plain is for ini, properties and dotenv: a key, then what ends it.
func (l lines) plain(text []byte) {
	section := "DEFAULT"
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "["); ok {
			section, _, _ = strings.Cut(rest, "]")
			continue
		}
		key := strings.TrimSpace(strings.TrimPrefix(line, "export "))
		if end := strings.IndexAny(key, "=:"); end > 0 {
			key = strings.TrimSpace(key[:end])
			l.add([]string{key}, i+1)
			l.add([]string{section, key}, i+1)
		}
	}
}
