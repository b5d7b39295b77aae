package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"jobman/config"
)

// What is quoted for bash is, once it is unquoted, what it was; also within quotes
// that are open.
func FuzzBashWord(f *testing.F) {
	for _, s := range []string{"", "plain", "two words", `it's "$x"`, "a:b=c", "ünï", "\\", "`x`!", "-x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\x00\n") || strings.ToValidUTF8(s, "") != s {
			t.Skip("it is not offered")
		}
		for _, q := range []quoting{plain, single, double} {
			text := ""
			if q != plain {
				text = string(q)
			}
			text += q.quote(s)
			if got := unquote(text); got != s {
				t.Errorf("%q is quoted as %q, which is %q", s, text, got)
			}
		}
		_ = quotingOf(s)
	})
}

// Whatever is typed, completing it ends, and says what else is to be offered.
func FuzzComplete(f *testing.F) {
	for _, s := range []string{"", "show ", "run --na", "kill run x ", "--group=", "list --status ", "-- ls ", "-pv", "help ", "rerun x -- ", "wait --timeout=", "config trust "} {
		f.Add("zsh", s)
		f.Add("bash", s)
	}
	f.Setenv("HOME", f.TempDir())
	f.Setenv("JOBMAN_DB", f.TempDir()+"/none")
	f.Chdir(f.TempDir())
	f.Fuzz(func(t *testing.T, shell, line string) {
		if strings.Contains(line, "config-file") || strings.Contains(line, "db") {
			t.Skip("it may name files of this machine")
		}
		var out bytes.Buffer
		a := &app{ctx: context.Background(), stdout: &out, stderr: io.Discard, settings: new(config.Settings), resolved: new(config.Resolved)}
		a.complete(append([]string{shell, ""}, strings.Split(line, " ")...))
		also, _, _ := strings.Cut(out.String(), "\n")
		if also != "words" && also != "files" && also != "dirs" && !strings.HasPrefix(also, "command ") {
			t.Errorf("%q: %q", line, also)
		}
	})
}
