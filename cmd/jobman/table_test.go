package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

func sample() *grid {
	return &grid{
		columns: []column{{name: "ID"}, {name: "NAME", least: 6}, {name: "GROUP", drop: 2, spare: true}, {name: "TOOK", drop: 1}},
		rows: [][]string{
			{"1", "バックアップ🎉バックアップ", "", "1.0s"},
			{"2", "plain", "", "2.0s"},
		},
	}
}

func TestATableFitsTheTerminal(t *testing.T) {
	for width := 12; width < 60; width++ {
		var b bytes.Buffer
		sample().print(&b, width, nil)
		for line := range strings.Lines(b.String()) {
			if n := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns in a terminal of %d: %q", n, width, line)
			}
		}
	}
}

func TestATableIsWholeElsewhere(t *testing.T) {
	var b bytes.Buffer
	sample().print(&b, 0, nil)
	want := "ID  NAME                        GROUP  TOOK\n" +
		"1   バックアップ🎉バックアップ         1.0s\n" +
		"2   plain                              2.0s\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
