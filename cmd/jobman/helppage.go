package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A page of help is printed from the grammar alone: its tags, and the Help method of
// a verb, whose indented lines stay as they are. Examples come before the flags, which
// are grouped, what all verbs have in common last.

// page prints help that is so wide.
type page struct {
	w     io.Writer
	width int
}

const (
	pagePiped  = 80  // the width where there is no terminal
	pageWidest = 100 // lines longer than that are hard to read
	pageFlags  = 28  // a longer flag has its text below it
	lastGroup  = "Common options"
)

// firstSteps end the page that is shown where no verb was asked for.
const firstSteps = `First steps:
  jobman sleep 10            runs it detached, and prints its id; the verb is run
  jobman list                what there is
  jobman logs -f ID          what it prints; a job is named by its id or its name
  jobman show ID             all about one, also what it waits for and why it failed
  jobman kill ID             ends it with all its processes
  jobman help run            waiting, repeating, limits, output
Words of jobman's own come before the command; after -- anything is a command.`

// printHelp is a kong.HelpPrinter.
func printHelp(_ kong.HelpOptions, ctx *kong.Context) error {
	p := page{w: ctx.Stdout, width: pagePiped}
	if w := width(); w > 0 {
		p.width = min(w, pageWidest)
	}
	if node := ctx.Selected(); node != nil {
		p.verb(node)
	} else {
		p.program(ctx.Model)
	}
	return nil
}

func (p page) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// program is the page without a verb.
func (p page) program(app *kong.Application) {
	p.line("Usage: jobman [VERB] [OPTIONS] ...")
	p.line("       jobman COMMAND [ARGUMENT...]")
	p.line("")
	p.prose(app.Help)
	p.line("")
	p.prose(firstSteps)
	p.line("")
	p.line("Verbs:")
	p.verbs(app.Leaves(true))
	p.flags(app.Flags)
	p.line("")
	p.prose("jobman help VERB tells more of a verb, with examples.")
}

func (p page) verbs(nodes []*kong.Node) {
	var rows [][2]string
	for _, n := range nodes {
		rows = append(rows, [2]string{shortPath(n), n.Help})
	}
	p.table(rows)
}

// verb is the page of a verb. One with a sub-verb that may be left out is that one's.
func (p page) verb(node *kong.Node) {
	if isDefault(node) {
		node = node.Parent
	}
	of := node
	for _, c := range node.Children {
		if isDefault(c) {
			of = c
		}
	}
	others := slices.DeleteFunc(slices.Clone(node.Children), func(c *kong.Node) bool { return c == of })
	lead := "Usage: "
	for _, n := range append([]*kong.Node{of}, others...) {
		if len(n.Children) == 0 {
			p.line("%s%s", lead, synopsis(n))
			lead = strings.Repeat(" ", len(lead))
		}
	}
	p.line("")
	p.prose(node.Help)
	if of.Detail != "" {
		p.line("")
		p.prose(of.Detail)
	}
	if len(of.Positional) > 0 {
		p.line("")
		p.line("Arguments:")
		var rows [][2]string
		for _, a := range of.Positional {
			rows = append(rows, [2]string{argument(a), a.Help})
		}
		p.table(rows)
	}
	if len(others) > 0 {
		p.line("")
		p.line("Verbs below it (jobman help %s %s):", node.Name, others[0].Name)
		p.verbs(others)
	}
	p.flags(slices.Concat(of.AllFlags(true)...))
}

// isDefault tells whether a sub-verb may be left out.
func isDefault(n *kong.Node) bool {
	return n.Parent != nil && n.Parent.Parent != nil && defaultBelow(n.Parent) == n.Name
}

// defaultBelow is the sub-verb of a verb that may be left out, or "".
func defaultBelow(n *kong.Node) string {
	switch {
	case child(n, "job") != nil:
		return "job"
	case n.Name == "config":
		return "show"
	}
	return ""
}

// shortPath is a verb as it is typed, with its arguments.
func shortPath(n *kong.Node) string {
	words := []string{n.Name}
	switch {
	case isDefault(n):
		words = []string{n.Parent.Name}
	case n.Parent != nil && n.Parent.Parent != nil:
		words = []string{n.Parent.Name, n.Name}
	}
	for _, a := range n.Positional {
		words = append(words, argument(a))
	}
	return strings.Join(words, " ")
}

// synopsis is a line that shows how a verb is used. Words of run's own stand before the
// command, those of other verbs anywhere.
func synopsis(n *kong.Node) string {
	path := shortPath(n)
	switch n.Name {
	case verbRun:
		if n.Parent.Parent == nil {
			return "jobman [run] [OPTIONS] [--] COMMAND [ARGUMENT...]"
		}
	case "rerun":
		return "jobman " + path + " [OPTIONS] [-- COMMAND [ARGUMENT...]]"
	}
	return "jobman " + path + " [OPTIONS]"
}

// argument is a positional as it is shown.
func argument(a *kong.Positional) string {
	name := strings.ToUpper(a.Name)
	if a.IsSlice() {
		name += "..."
	}
	if !a.Required {
		name = "[" + name + "]"
	}
	return name
}

// flags are grouped.
func (p page) flags(all []*kong.Flag) {
	var groups []string
	rows := map[string][][2]string{}
	for _, f := range all {
		name := "Options"
		switch {
		case f.Name == "help" || f.Name == "version":
			name = lastGroup
		case f.Group != nil:
			name = f.Group.Title
		}
		if !slices.Contains(groups, name) {
			groups = append(groups, name)
		}
		rows[name] = append(rows[name], [2]string{flagText(f), f.Help})
	}
	slices.SortStableFunc(groups, func(a, b string) int { return cmp.Compare(groupRank(a), groupRank(b)) })
	for _, name := range groups {
		p.line("")
		p.line("%s:", name)
		p.table(rows[name])
	}
}

func groupRank(name string) int {
	switch name {
	case "Options":
		return 0
	case lastGroup:
		return 2
	}
	return 1
}

// flagText is a flag as it is shown: -f, --follow, or --name=NAME.
func flagText(f *kong.Flag) string {
	text := "    --"
	if f.Short != 0 {
		text = "-" + string(f.Short) + ", --"
	}
	switch {
	case !f.IsBool():
		return text + f.Name + "=" + cmp.Or(f.PlaceHolder, strings.ToUpper(f.Name))
	case f.Default == "true":
		return text + "[no-]" + f.Name
	}
	return text + f.Name
}

// table prints names with their texts beside them, or below those that are long.
func (p page) table(rows [][2]string) {
	column := 0
	for _, r := range rows {
		if n := text.StringWidthWithoutEscSequences(r[0]); n <= pageFlags {
			column = max(column, n)
		}
	}
	column = min(max(column, 8), max(8, p.width/2))
	for _, r := range rows {
		lines := wrap(r[1], p.width-column-4)
		name := r[0]
		if text.StringWidthWithoutEscSequences(name) > column {
			p.line("  %s", name)
			name = ""
		}
		for _, l := range lines {
			p.line("  %s", strings.TrimRight(text.Pad(name, column, ' ')+"  "+l, " "))
			name = ""
		}
	}
}

// prose prints paragraphs; lines that are indented stay as they are.
func (p page) prose(text string) {
	var paragraph []string
	flush := func() {
		for _, l := range wrap(strings.Join(paragraph, " "), p.width) {
			p.line("%s", l)
		}
		paragraph = nil
	}
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		switch {
		case strings.HasPrefix(l, " "):
			flush()
			p.line("%s", l)
		case l == "":
			flush()
			p.line("")
		default:
			paragraph = append(paragraph, l)
		}
	}
	flush()
}

// wrap breaks text into lines.
func wrap(words string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(words) {
		if line != "" && text.StringWidthWithoutEscSequences(line)+1+text.StringWidthWithoutEscSequences(word) > max(width, 20) {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
