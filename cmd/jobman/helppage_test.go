package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/jedib0t/go-pretty/v6/text"
)

func model(t *testing.T) *kong.Application {
	t.Helper()
	var g grammar
	k, err := newParser(&g, helpWriter{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return k.Model
}

func TestEveryVerbAndFlagIsExplained(t *testing.T) {
	app := model(t)
	flags := app.Flags
	for _, n := range app.Leaves(true) {
		if !strings.HasSuffix(n.Help, ".") && !strings.HasSuffix(n.Help, "same.") {
			t.Errorf("%s: its help is no sentence: %q", n.Path(), n.Help)
		}
		if !strings.Contains(n.Detail, "Examples:\n  jobman ") {
			t.Errorf("%s has no examples", n.Path())
		}
		for _, a := range n.Positional {
			if !strings.HasSuffix(a.Help, ".") {
				t.Errorf("%s %s: its help is no sentence: %q", n.Path(), a.Name, a.Help)
			}
		}
		flags = append(flags, n.Flags...)
	}
	for _, f := range flags {
		if !strings.HasSuffix(f.Help, ".") && !strings.HasSuffix(f.Help, ".)") {
			t.Errorf("--%s: its help is no sentence: %q", f.Name, f.Help)
		}
		if f.HasDefault && f.Default != "" && !strings.Contains(f.Help, "default") {
			t.Errorf("--%s: its help does not tell the default, %q", f.Name, f.Default)
		}
		if !f.IsBool() && f.PlaceHolder == "" {
			t.Errorf("--%s: what it takes has no name", f.Name)
		}
		if f.IsSlice() && !strings.Contains(f.Help, "repeatable") {
			t.Errorf("--%s: its help does not tell that it may be given several times", f.Name)
		}
	}
}

func TestHelpIsNoWiderThanTheTerminal(t *testing.T) {
	app := model(t)
	for _, width := range []int{60, 80, 100} {
		for _, n := range append(app.Leaves(true), app.Node) {
			var b bytes.Buffer
			p := page{&b, width}
			if n == app.Node {
				p.program(app)
			} else {
				p.verb(n)
			}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimSuffix(line, "\n")
				kept := strings.HasPrefix(line, "  ") && !strings.HasPrefix(strings.TrimLeft(line, " "), "-") || strings.HasPrefix(line, "Usage:") // examples
				if !kept && text.StringWidthWithoutEscSequences(line) > width {
					t.Errorf("%s at %d: %q", n.Path(), width, line)
				}
			}
		}
	}
}
