package main

import (
	"bufio"
	"encoding/json"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"jobman/job"
	"jobman/journal"
)

// printer prints lines of output the way that was asked for. It is safe for
// concurrent use once name was called.
type printer struct {
	raw, json, several, color bool
	fail                      func(error) // called when what was printed could not be written

	mu      sync.Mutex // guards what follows
	out     *bufio.Writer
	encode  *json.Encoder
	buf     []byte
	used    map[string]int // labels
	width   int            // of the longest
	pending bool           // a flush is about to come
	open    *share         // whose unfinished line was printed last
	err     error
}

func newPrinter(a *app, raw, several bool) *printer {
	p := &printer{raw: raw && !a.JSON, json: a.JSON, several: several, used: map[string]int{}}
	p.color = colorful()
	p.out = bufio.NewWriterSize(a.stdout, 64<<10)
	p.encode = json.NewEncoder(p.out)
	p.encode.SetEscapeHTML(false)
	return p
}

// maxLabel is how much of a job's name stands before its lines, in characters.
const maxLabel = 24

// labelColors are those of the names; red is for stderr.
var labelColors = []string{"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"}

// name gives jobs what stands before their lines: their names, and where several
// have the same one their ids too.
func (p *printer) name(shares []*share) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range shares {
		s.label = shorten(s.job.Spec.Name, maxLabel)
		s.color = labelColors[len(p.used)%len(labelColors)]
		p.used[s.label]++
	}
	for _, s := range shares {
		if p.used[s.label] > 1 {
			s.label += " " + s.job.ID.Short()
		}
		p.width = max(p.width, utf8.RuneCountInString(s.label))
	}
}

// line prints a line. What is printed is kept together until flush is called, or
// flushSoon has come.
func (p *printer) line(s *share, run int, line journal.Line) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	if p.json {
		return p.encode.Encode(viewLine(s.job.ID, run, line))
	}
	b := p.buf[:0]
	switch {
	case p.raw:
		if p.open != nil && p.open != s {
			b = append(b, '\n') // what is another's begins on a line of its own
		}
		if p.open = nil; line.Partial {
			p.open = s
		}
		b = journal.AppendRaw(b, line)
	case p.several:
		b = journal.AppendHuman(p.appendLabel(b, s), line, p.color)
	default:
		b = journal.AppendHuman(b, line, p.color)
	}
	p.buf = b
	_, err := p.out.Write(b)
	return err
}

func (p *printer) appendLabel(b []byte, s *share) []byte {
	label := s.label + strings.Repeat(" ", p.width-utf8.RuneCountInString(s.label)) + " | "
	if p.color {
		label = "\x1b[" + s.color + "m" + label + "\x1b[0m"
	}
	return append(b, label...)
}

// soon is how long a line may wait for others to be printed with it.
const soon = 5 * time.Millisecond

// flushSoon has what was printed written shortly.
func (p *printer) flushSoon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending {
		return
	}
	p.pending = true
	time.AfterFunc(soon, func() {
		if err := p.flush(); err != nil && p.fail != nil {
			p.fail(err)
		}
	})
}

func (p *printer) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = false
	if err := p.out.Flush(); p.err == nil {
		p.err = err
	}
	return p.err
}

// lineView is a line of output as JSON.
type lineView struct {
	Job    job.ID         `json:"job"`
	Run    int            `json:"run"`
	Stream journal.Stream `json:"stream"`
	Time   *stamp         `json:"time"`
	Text   *string        `json:"text,omitempty"`
	Base64 []byte         `json:"base64,omitempty"`
}

func viewLine(id job.ID, run int, line journal.Line) lineView {
	v := lineView{Job: id, Run: run, Stream: line.Stream, Time: at(line.Time)}
	if text := string(line.Text); utf8.ValidString(text) {
		v.Text = &text
	} else {
		v.Base64 = line.Text
	}
	return v
}
