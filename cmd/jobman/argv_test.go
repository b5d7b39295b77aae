package main

import (
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func splitLine(t *testing.T, argv ...string) (words, error) {
	t.Helper()
	var g grammar
	k, err := newParser(&g, helpWriter{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return split(k.Model, argv)
}

func TestCommandLinesAreTakenApart(t *testing.T) {
	line := func(s ...string) []string { return s }
	for _, c := range []struct {
		argv []string
		kong []string
		args []string
	}{
		{line("sleep", "10"), line("run"), line("sleep", "10")},
		{line("run", "sleep", "-f", "10"), line("run"), line("sleep", "-f", "10")},
		{line("run", "--", "list"), line("run"), line("list")},
		{line("--", "list", "--all"), line("run"), line("list", "--all")},
		{line("--name", "list", "ls", "-l"), line("run", "--name=list"), line("ls", "-l")},
		{line("--name", "x", "run", "ls"), line("run", "--name=x"), line("ls")},
		{line("-follow", "make"), line("run", "--follow"), line("make")},
		{line("-fv", "make"), line("run", "--follow", "--verbose"), line("make")},
		{line("run", "--stop-grace=-1", "x"), line("run", "--stop-grace=-1"), line("x")},
		{line("run", "--no-log.stdout", "x"), line("run", "--log.stdout=false"), line("x")},
		{line("run", "--log.stdout=false", "x"), line("run", "--log.stdout=false"), line("x")},
		{line("run", "--env", "A=-1", "x"), line("run", "--env=A=-1"), line("x")},
		{line("run", "-", "x"), line("run"), line("-", "x")},
		{line("list", "--all"), line("list", "--all"), nil},
		{line("logs", "j", "-n", "3", "-f"), line("logs", "--lines=3", "--follow", "--", "j"), line("j")},
		{line("logs", "j", "-n3"), line("logs", "--lines=3", "--", "j"), line("j")},
		{line("logs", "j", "--run", "-1"), line("logs", "--run=-1", "--", "j"), line("j")},
		{line("logs", "j", "-n", "-1"), line("logs", "--lines=-1", "--", "j"), line("j")},
		{line("show", "j"), line("show", "job", "--", "j"), line("j")},
		{line("show", "run", "j", "-1"), line("show", "run", "--", "j", "-1"), line("j", "-1")},
		{line("show", "job", "run"), line("show", "job", "--", "run"), line("run")},
		{line("kill", "run", "j", "2", "--now"), line("kill", "run", "--now", "--", "j", "2"), line("j", "2")},
		{line("kill", "j", "k", "--signal", "INT"), line("kill", "job", "--signal=INT", "--", "j", "k"), line("j", "k")},
		{line("kill", "--", "-odd"), line("kill", "job", "--", "-odd"), line("-odd")},
		{line("--json", "list"), line("list", "--json"), nil},
	} {
		w, err := splitLine(t, c.argv...)
		if err != nil {
			t.Errorf("%q: %v", c.argv, err)
			continue
		}
		if !reflect.DeepEqual(w.kong(), c.kong) || !reflect.DeepEqual(w.args, c.args) {
			t.Errorf("%q\ngot  %q %q\nwant %q %q", c.argv, w.kong(), w.args, c.kong, c.args)
		}
	}
}

func TestCommandLinesThatAreRefused(t *testing.T) {
	for _, argv := range [][]string{
		{"--log.stdout", "true", "ls"}, // the word would be the command
		{"--log.stdout", "false"},
		{"--name", "--unique", "x"}, // a value that looks like a flag needs =
		{"--name"},
		{"logs", "j", "-n"},
	} {
		if w, err := splitLine(t, argv...); err == nil {
			t.Errorf("%q is taken for %q %q", argv, w.kong(), w.args)
		} else if _, code := classify(err); code != codeUsage {
			t.Errorf("%q: code %d: %v", argv, code, err)
		}
	}
}

// A line that is accepted is, in the form that kong gets, accepted as the same.
func FuzzCommandLine(f *testing.F) {
	for _, line := range []string{
		"run -f --name x", "--no-log.stdout -- list -x", "kill run j -1", "show job run x", "logs j -n -1", "--retry 3 make -k", "rerun j -- x",
		"-fv -p MemoryMax=1G x", "list --status= --group= a", "config show --origin x", "--timeout= --log.stdout=false x y", "-follow -- -- --",
	} {
		words := append(strings.Fields(line), "", "", "", "")
		f.Add(words[0], words[1], words[2], words[3])
	}
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		w, err := splitLine(t, a, b, c, d)
		if err != nil {
			_ = err.Error()
			return
		}
		if len(w.verb) == 0 {
			t.Fatal("no verb")
		}
		again := w.kong()
		switch w.verb[0] {
		case "rerun":
			return // its job comes before -- here, and behind it for kong
		case verbRun:
			again = append(append(again, "--"), w.args...)
		}
		w2, err := splitLine(t, again...)
		if err != nil {
			t.Fatalf("%q is %q, which is not accepted: %v", []string{a, b, c, d}, again, err)
		}
		if !reflect.DeepEqual(w2.verb, w.verb) || !slices.Equal(w2.flags, w.flags) || !slices.Equal(w2.args, w.args) {
			t.Errorf("%q is\n%+v, which is\n%+v", []string{a, b, c, d}, w, w2)
		}
	})
}

func TestBackendIsChosen(t *testing.T) {
	systemd := probes{scope: "user", wanted: "auto", linux: true, booted: true, manager: true, socket: "/run/user/1/systemd/private"}
	with := func(change func(*probes)) probes {
		p := systemd
		change(&p)
		return p
	}
	for _, c := range []struct {
		name    string
		p       probes
		backend string // empty: refused
	}{
		{"systemd answers", systemd, "systemd"},
		{"fork is asked for", with(func(p *probes) { p.wanted = "fork" }), "fork"},
		{"no user manager", with(func(p *probes) { p.manager = false }), "fork"},
		{"a container", with(func(p *probes) { p.booted = false }), "fork"},
		{"macOS", with(func(p *probes) { p.linux = false }), "fork"},
		{"systemd is asked for and missing", with(func(p *probes) { p.manager, p.wanted = false, "systemd" }), ""},
	} {
		backend, why, err := detect(c.p)
		if backend != c.backend || (err == nil) != (c.backend != "") || err == nil && why == "" {
			t.Errorf("%s: %q, %q, %v; want %q and a reason", c.name, backend, why, err, c.backend)
		}
		if err != nil {
			if _, code := classify(err); code != codeBackend {
				t.Errorf("%s: code %d", c.name, code)
			}
		}
	}
}
