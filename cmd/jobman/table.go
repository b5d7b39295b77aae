package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"jobman/job"
)

// grid is a table for people. On a terminal it is no wider than that: the texts of
// columns are cut, then columns are left out. Elsewhere it has all it has, for programs.
type grid struct {
	columns []column
	rows    [][]string
}

// column is a column of a grid.
type column struct {
	name  string
	least int  // what its text may be cut to; 0: not at all
	drop  int  // the place in the order in which columns are left out, from 1; 0: never
	spare bool // on a terminal it is left out if nothing is in it
}

// paint colours a text by what it says, such as a state. It comes last: what is
// coloured can't be measured so simply.
type paint func(column, text string) string

// print prints the grid for a terminal of that width; 0: it is none.
func (g *grid) print(w io.Writer, width int, p paint) {
	if width > 0 {
		g.fit(width)
	}
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.Options{}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	header := table.Row{}
	for _, c := range g.columns {
		header = append(header, c.name)
	}
	t.AppendHeader(header)
	for _, r := range g.rows {
		row := table.Row{}
		for i, cell := range r {
			if p != nil {
				cell = p(g.columns[i].name, cell)
			}
			row = append(row, cell)
		}
		t.AppendRow(row)
	}
	for line := range strings.Lines(t.Render()) {
		line = strings.TrimRight(line, " \n")
		if width > 0 {
			line = text.Snip(line, width, "…")
			line = strings.TrimRight(line, " ")
		}
		fmt.Fprintln(w, line)
	}
}

// fit makes the grid no wider than it may be, if that can be.
func (g *grid) fit(width int) {
	for i := len(g.columns) - 1; i >= 0; i-- {
		if g.columns[i].spare && !slices.ContainsFunc(g.rows, func(r []string) bool { return r[i] != "" }) {
			g.remove(i)
		}
	}
	for g.cut(width) > 0 {
		next := -1
		for i, c := range g.columns {
			if c.drop > 0 && (next < 0 || c.drop < g.columns[next].drop) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		g.remove(next)
	}
}

// cut cuts texts, the widest column first, and returns by how much the grid is too wide
// all the same. Nothing is cut then.
func (g *grid) cut(width int) (over int) {
	widths := g.widths()
	over = -width - 2
	for _, w := range widths {
		over += w + 2
	}
	for ; over > 0; over-- {
		widest := -1
		for i, c := range g.columns {
			if c.least > 0 && widths[i] > c.least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return over
		}
		widths[widest]--
	}
	for _, r := range g.rows {
		for i := range r {
			if text.StringWidthWithoutEscSequences(r[i]) > widths[i] {
				r[i] = text.Snip(r[i], widths[i], "…")
			}
		}
	}
	return 0
}

func (g *grid) widths() []int {
	widths := make([]int, len(g.columns))
	for i, c := range g.columns {
		widths[i] = len(c.name)
		for _, r := range g.rows {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(r[i]))
		}
	}
	return widths
}

func (g *grid) remove(i int) {
	g.columns = slices.Delete(slices.Clone(g.columns), i, i+1)
	for n, r := range g.rows {
		g.rows[n] = slices.Delete(r, i, i+1)
	}
}

// stateColors are those of states, as of ANSI terminals.
var stateColors = map[string]string{
	string(job.Success): "32", string(job.Failure): "31", string(job.Killed): "35", string(job.Neutral): "36",
	job.Waiting.String(): "33", job.Delayed.String(): "33", job.Running.String(): "1;34", job.Stopping.String(): "35",
}

// paintState colours what is a state.
func paintState(column, text string) string {
	if color, ok := stateColors[text]; ok && column == "STATE" {
		return "\x1b[" + color + "m" + text + "\x1b[0m"
	}
	return text
}

// painter is paintState where there are to be colours.
func painter() paint {
	if colorful() {
		return paintState
	}
	return nil
}
