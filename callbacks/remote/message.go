package remote

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"

	"jobman/callbacks"
	"jobman/job"
)

// message is what people get.
type message struct{ subject, text, html string }

// The templates, where the callback has none of its own. They get a *callbacks.Notice
// and the functions below.
const (
	subjectTemplate = `{{title .}}`
	textTemplate    = `{{title .}}
{{why .}}

{{range facts .}}{{printf "%-11s" .Name}} {{.Value}}
{{end}}{{if .Output}}
The last lines of its output:

{{range .Output}}{{.}}
{{end}}{{end}}`
	htmlTemplate = `<!DOCTYPE html>
<html><body style="font-family: sans-serif">
<h2>{{title .}}</h2>
<p>{{why .}}</p>
<table>{{range facts .}}<tr><td style="color: #666; padding-right: 1em; vertical-align: top">{{.Name}}</td><td>{{.Value}}</td></tr>
{{end}}</table>
{{if .Output}}<p>The last lines of its output:</p>
<pre style="background: #f4f4f4; padding: 0.5em">{{range .Output}}{{.}}
{{end}}</pre>{{end}}
</body></html>
`
)

// fact is a line about what happened.
type fact struct{ Name, Value string }

var functions = template.FuncMap{
	"title": title, "why": why, "facts": facts, "took": took, "join": strings.Join,
	"command": func(n *callbacks.Notice) string { return strings.Join(job.Strings(n.Command), " ") },
}

// title says in one line what happened to what, and where.
func title(n *callbacks.Notice) string {
	what := string(n.Result)
	switch n.Event {
	case job.EventRunSuccess, job.EventRunFailure:
		what = fmt.Sprintf("run %d: %s", n.Run, what)
	case job.EventRetry:
		what = fmt.Sprintf("run %d: %s, another is scheduled", n.Run, what)
	}
	return oneLine(fmt.Sprintf("%s: %s on %s", what, callbacks.Clip(n.Name, 100), n.Host))
}

// why says why it ended.
func why(n *callbacks.Notice) string {
	text := oneLine(n.Message)
	if text == "" {
		text = string(n.Reason)
	}
	if n.NextAt != nil {
		text += fmt.Sprintf("; the next run starts at %s", moment(*n.NextAt))
	}
	return text
}

// took is how long it took; "" if it never ran.
func took(n *callbacks.Notice) string {
	if n.StartedAt == nil || n.StoppedAt == nil {
		return ""
	}
	d := n.StoppedAt.Sub(*n.StartedAt)
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

func facts(n *callbacks.Notice) (all []fact) {
	add := func(name, value string) {
		if value != "" {
			all = append(all, fact{name, oneLine(value)})
		}
	}
	add("command", callbacks.Clip(strings.Join(job.Strings(n.Command), " "), 1000))
	add("directory", string(n.Cwd))
	add("host", n.Host)
	add("group", n.Group)
	add("result", string(n.Result)+", "+string(n.Reason))
	if n.ExitCode != nil {
		add("exit code", strconv.Itoa(*n.ExitCode))
	}
	if n.Signal != nil {
		add("signal", "SIG"+string(*n.Signal))
	}
	if n.StartedAt != nil {
		add("started", moment(*n.StartedAt))
	}
	if n.StoppedAt != nil {
		add("ended", moment(*n.StoppedAt))
	}
	add("took", took(n))
	if n.RunCount > 0 {
		add("runs", strconv.Itoa(n.RunCount))
	}
	if n.NextAt != nil {
		add("next run", moment(*n.NextAt))
	}
	add("job", string(n.JobID))
	return all
}

func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 -0700") }

// oneLine makes a line of a text, in which nothing controls a terminal or a header.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// message makes it of the notice, by the callback's templates or those above. One of its
// own that fails for this notice keeps nobody from being told: then it is told as well.
func (o *order) message() (m message, err error) {
	m, err = o.messageBy(o.Key)
	if err == nil || len(o.Keys["subject"])+len(o.Keys["text"])+len(o.Keys["html"]) == 0 {
		return m, err
	}
	note := oneLine(err.Error())
	if m, err = o.messageBy(func(string) string { return "" }); err == nil {
		m.text += "\n\nThis is not by the callback's own templates: " + note
		m.html = ""
	}
	return m, err
}

// messageBy makes it by templates; "" stands for the one above.
func (o *order) messageBy(own func(name string) string) (m message, err error) {
	n := o.notice
	if m.subject, err = execute("subject", own("subject"), subjectTemplate, n); err != nil {
		return m, err
	}
	m.subject = oneLine(strings.TrimSpace(m.subject))
	if m.text, err = execute("text", own("text"), textTemplate, n); err != nil {
		return m, err
	}
	m.text = strings.TrimRight(plain(m.text), "\n")
	if own("text") != "" && own("html") == "" {
		return m, nil // who has a text of its own has no other beside it
	}
	source := own("html")
	if source == "" {
		source = htmlTemplate
	}
	t, err := htmltemplate.New("html").Funcs(functions).Parse(source)
	if err != nil {
		return m, templateError("html", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, n); err != nil {
		return m, templateError("html", err)
	}
	m.html = plain(b.String())
	return m, nil
}

func execute(name, own, standard string, n *callbacks.Notice) (string, error) {
	source := own
	if source == "" {
		source = standard
	}
	t, err := template.New(name).Funcs(functions).Parse(source)
	if err != nil {
		return "", templateError(name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, n); err != nil {
		return "", templateError(name, err)
	}
	return b.String(), nil
}

func templateError(name string, err error) error {
	return fmt.Errorf("its template %s: %w", name, err)
}

// plain takes control characters out of a text, but newlines and tabs.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// CheckTemplates tells what is wrong with a callback's templates, also for a job that never
// ran.
func CheckTemplates(c *job.Callback) error {
	full := callbacks.Sample("host", time.Now())
	bare := *full
	bare.ExitCode, bare.StartedAt, bare.StoppedAt, bare.Run, bare.RunCount, bare.Output = nil, nil, nil, 0, 0, []string{}
	if _, err := (&order{Callback: c, notice: full}).messageBy(c.Key); err != nil {
		return err
	}
	if _, err := (&order{Callback: c, notice: &bare}).messageBy(c.Key); err != nil {
		return fmt.Errorf("of a job that never ran: %w", err)
	}
	return nil
}
