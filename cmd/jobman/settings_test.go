package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jobman/config"
	"jobman/job"
)

// specOf is what a command line asks for, with a configuration in the home
// directory.
func specOf(t *testing.T, toml string, argv ...string) (*job.Spec, error) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Chdir(home)
	if err := os.WriteFile(filepath.Join(home, ".jobman.toml"), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{ctx: t.Context(), stdout: io.Discard, stderr: io.Discard}
	ctx, filled, err := a.read(argv)
	if err != nil || ctx == nil {
		return nil, err
	}
	g, ok := filled.(*runGrammar)
	if !ok {
		t.Fatalf("%v is no line of run", argv)
	}
	spec, _, err := g.Run.spec(a)
	return spec, err
}

// A flag beats a variable, which beats every level of a file.
func TestFlagsComeFirst(t *testing.T) {
	levels := map[string]string{
		"nothing": "", "global": "[run]", "pattern": "[[patterns]]\nmatch = 'tr.e'", "group": "[groups.g]", "name": "[names.n]", "job-spec": "[job_spec.s]",
	}
	for level, table := range levels {
		t.Run(level, func(t *testing.T) {
			toml := "[job_spec.s]\nchdir = '/'\n"
			switch level {
			case "nothing":
			case "job-spec":
				toml += "stop-grace = '1s'\n"
			default:
				toml += table + "\nstop-grace = '1s'\n"
			}
			line := []string{"run", "--job-spec", "s", "--name", "n", "--group", "g"}
			want := func(grace string, argv ...string) {
				t.Helper()
				spec, err := specOf(t, toml, slices.Concat(line, argv, []string{"--", "true"})...)
				if err != nil || spec.StopGrace.String() != grace {
					t.Errorf("%v: stop-grace is %v, want %s (%v)", argv, spec, grace, err)
				}
			}
			if level == "nothing" {
				want("10s")
			} else {
				want("1s")
			}
			want("3s", "--stop-grace", "3s")
			want("10s", "--stop-grace=")
			t.Setenv("JOBMAN_STOP_GRACE", "2s")
			want("2s")
			want("3s", "--stop-grace", "3s")
		})
	}
}

func TestWhatALineAsksFor(t *testing.T) {
	for _, c := range []struct {
		name, toml string
		argv       []string
		so         func(*job.Spec) bool
	}{
		{"--timeout beats timeout.run", "[run]\ntimeout.run = '1h'", []string{"run", "--timeout", "5s", "true"}, func(s *job.Spec) bool { return s.Timeout.Run.String() == "5s" }},
		{"--retry beats num-runs", "[run.retries]\nnum-runs = 9", []string{"run", "--retry", "2", "true"}, func(s *job.Spec) bool { return s.Retries.NumRuns == 3 && s.Retries.NumSuccesses == 1 }},
		{"--retries.num-runs beats retry, which still wants a success", "[run]\nretry = 2", []string{"run", "--retries.num-runs", "7", "true"}, func(s *job.Spec) bool { return s.Retries.NumRuns == 7 && s.Retries.NumSuccesses == 1 }},
		{"num-runs is 1 only if no other limit is set at any layer", "[run.retries]\nnum-failures = 2", []string{"run", "true"}, func(s *job.Spec) bool { return s.Retries.NumRuns == -1 }},
		{"a list replaces", "[run]\nwait.file = ['/a']", []string{"run", "--wait.file", "/b", "true"}, func(s *job.Spec) bool { return slices.Equal(s.Wait.File, []job.Text{"/b"}) }},
		{"an empty value clears a list", "[run]\nwait.file = ['/a']", []string{"run", "--wait.file=", "true"}, func(s *job.Spec) bool { return len(s.Wait.File) == 0 }},
		{"and a text", "[run]\ngroup = 'g'", []string{"run", "--group=", "true"}, func(s *job.Spec) bool { return s.Group == "" }},
		{"callbacks add up", "[run]\nnotify.any = ['a']", []string{"run", "--notify", "b", "true"}, func(s *job.Spec) bool { return slices.Equal(s.Notify.Any, []string{"b", "a"}) }},
		{"unless they are cleared", "[run]\nnotify.any = ['a']", []string{"run", "--notify=", "--notify", "b", "true"}, func(s *job.Spec) bool { return slices.Equal(s.Notify.Any, []string{"b"}) }},
		{"callbacks of the configuration alone", "[run]\nnotify.on-retry = ['a']", []string{"run", "true"}, func(s *job.Spec) bool { return slices.Equal(s.Notify.OnRetry, []string{"a"}) }},
		{"a job-spec brings the command", "[job_spec.s]\ncommand = ['true', 'x']", []string{"run", "--job-spec", "s"}, func(s *job.Spec) bool { return s.Name == "true x" }},
		{"the command line's beats it", "[job_spec.s]\ncommand = ['true', 'x']", []string{"run", "--job-spec", "s", "false"}, func(s *job.Spec) bool { return s.Name == "false" }},
		{"the name that a pattern gives has a table", "[[patterns]]\nmatch = 'true'\nname = 'n'\n[names.n]\ngroup = 'g'", []string{"run", "true"}, func(s *job.Spec) bool { return s.Name == "n" && s.Group == "g" }},
		{"a sensor becomes conditions, and its not-after the job's", "[sensors.s]\ntype = 'file'\npaths = ['x']\nnot-after = '+1h'\nany = true", []string{"run", "--wait.sensor", "s", "true"}, func(s *job.Spec) bool {
			return len(s.Wait.Sensor) == 1 && filepath.IsAbs(string(s.Wait.Sensor[0].Targets[0])) && s.Wait.Sensor[0].Any && !s.Wait.AbortDatetime.IsZero()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, err := specOf(t, c.toml, c.argv...)
			if err != nil || !c.so(spec) {
				t.Errorf("%+v, %v", spec, err)
			}
		})
	}
}

func TestWhatALineMayNotAskFor(t *testing.T) {
	for _, c := range []struct {
		toml, want string
		argv       []string
	}{
		{"", "can't stand beside", []string{"run", "--retry", "1", "--retries.num-runs", "2", "true"}},
		{"", "they differ", []string{"run", "--timeout", "1s", "--timeout.run", "2s", "true"}},
		{"", "give a number from 0", []string{"run", "--retry=-1", "true"}},
		{"[run]\nstop-grace = 'soon'", ".jobman.toml:2: run.stop-grace: \"soon\" is not a duration", []string{"run", "true"}},
		{"[run]\non-reboot = 'x'", ".jobman.toml:2: run.on-reboot: \"x\" is none of fail, rerun", []string{"run", "true"}},
		{"[job_spec.s]\nname = 'x'", "there is no command", []string{"run", "--job-spec", "s"}},
		{"[job_spec.backup]\nname = 'x'", `the nearest is "backup"`, []string{"run", "--job-spec", "bakcup"}},
		{"[run]\nretries.num-runs = 0", "give a number from 1", []string{"run", "true"}},
	} {
		if _, err := specOf(t, c.toml, c.argv...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %v: %v, want %s", c.toml, c.argv, err, c.want)
		}
	}
}

func TestVariablesThatCanNotBeRead(t *testing.T) {
	t.Setenv("JOBMAN_RETRIES_DELAY", "soon")
	if _, err := specOf(t, "", "run", "true"); err == nil || !strings.Contains(err.Error(), `JOBMAN_RETRIES_DELAY: "soon" is not a duration`) {
		t.Error(err)
	}
	t.Setenv("JOBMAN_RETRIES_DELAY", "")
	t.Setenv("JOBMAN_RETRY", "x")
	if _, err := specOf(t, "", "run", "true"); err == nil || !strings.Contains(err.Error(), "JOBMAN_RETRY") {
		t.Error(err)
	}
	t.Setenv("JOBMAN_RETRY", "3")
	t.Setenv("JOBMAN_RETRIES_NUM_RUNS", "3")
	if _, err := specOf(t, "", "run", "true"); err == nil || !strings.Contains(err.Error(), "can't stand beside") {
		t.Error(err)
	}
}

// No option's variable is one that runs get, and no name of an option of run can be
// taken for the end of another: names with dots would be ambiguous.
func TestOptionsCanBeToldApart(t *testing.T) {
	var g grammar
	k, err := newParser(&g, helpWriter{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	schema := schemaOf(k.Model)
	for _, verb := range append(schema.Verbs(), "", verbRun) {
		options, _ := schema.Verb(verb)
		switch verb {
		case "":
			options = schema.Common
		case verbRun:
			options = schema.Run
		}
		for _, o := range options {
			if v := config.Variable(verb, o.Name); slices.Contains([]string{"JOBMAN_JOB_ID", "JOBMAN_JOB_NAME", "JOBMAN_JOB_GROUP", "JOBMAN_RUN"}, v) {
				t.Errorf("%s is the variable of %s %s", v, verb, o.Name)
			}
		}
	}
	for _, o := range schema.Run {
		for _, p := range schema.Run {
			if strings.HasSuffix(o.Name, "."+p.Name) {
				t.Errorf("%s ends like %s", o.Name, p.Name)
			}
		}
	}
	var light runGrammar
	if k, err = newParser(&light, helpWriter{io.Discard, io.Discard}); err != nil {
		t.Fatal(err)
	}
	if fromRun := schemaOf(k.Model).Verbs(); !slices.Equal(fromRun, schema.Verbs()) {
		t.Errorf("where run is known to be the verb the others are %v, not %v", fromRun, schema.Verbs())
	}
}
