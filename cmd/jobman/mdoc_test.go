package main

import (
	"fmt"
	"strings"
)

// manual is a manual page in the making, in mdoc(7).
type manual struct{ strings.Builder }

// macro writes a line with a macro and its arguments.
func (p *manual) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		p.WriteString(" " + a)
	}
	p.WriteString("\n")
}

// arg is a word as an argument of a macro, which it must not be taken for.
func arg(s string) string {
	s = strings.ReplaceAll(mdocText(s), `"`, `\(dq`)
	if len(s) <= 3 || strings.ContainsAny(s[:1], ".,:;()[]?!|") {
		s = `\&` + s
	}
	if strings.Contains(s, " ") {
		s = `"` + s + `"`
	}
	return s
}

// mdocText is text that is printed as it is.
func mdocText(s string) string {
	return strings.NewReplacer(`\`, `\e`, "…", "...", "–", "-", "’", "'", "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
}

// text writes sentences, each on a line, as mdoc wants them.
func (p *manual) text(s string) {
	s = strings.Join(strings.Fields(s), " ")
	for s != "" {
		sentence, rest, more := strings.Cut(s, ". ")
		if more && !strings.HasSuffix(sentence, "i.e") && !strings.HasSuffix(sentence, "e.g") {
			sentence += "."
		} else if more {
			sentence, rest = s, ""
		}
		p.wrap(sentence)
		s = rest
	}
}

// line writes a line as it is.
func (p *manual) line(s string) {
	s = mdocText(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	p.WriteString(s + "\n")
}

// wrap writes text on lines of at most 78 characters, where words allow that.
func (p *manual) wrap(s string) {
	line := ""
	for word := range strings.FieldsSeq(s) {
		if line != "" && len(line)+len(word) > 76 {
			p.line(line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	p.line(line)
}

// detail writes what stands below a verb's summary: paragraphs, and blocks whose
// lines are indented.
func (p *manual) detail(s string) {
	var para, block []string
	flush := func() {
		if len(para) > 0 {
			p.macro("Pp")
			p.text(strings.Join(para, " "))
		}
		if len(block) > 0 {
			p.macro("Bd", "-literal", "-offset", "indent")
			for _, l := range block {
				p.line(l)
			}
			p.macro("Ed")
		}
		para, block = nil, nil
	}
	for l := range strings.SplitSeq(s, "\n") {
		switch {
		case strings.HasPrefix(l, "  "):
			if len(para) > 0 {
				flush()
			}
			block = append(block, l[2:])
		case strings.TrimSpace(l) == "":
			flush()
		default:
			if len(block) > 0 {
				flush()
			}
			para = append(para, l)
		}
	}
	flush()
}

// head writes the beginning of a page.
func (p *manual) head(name, section, about string) {
	fmt.Fprintf(p, ".\\\" Made from the grammar and from man/in by `make man`; change those.\n")
	p.macro("Dd", manDate)
	p.macro("Dt", strings.ToUpper(name), section)
	p.macro("Os")
	p.macro("Sh", "NAME")
	p.macro("Nm", name)
	about, _, _ = strings.Cut(about, ". ")
	p.macro("Nd", mdocText(strings.TrimSuffix(strings.ToLower(about[:1])+about[1:], ".")))
}
