package main

import (
	"slices"
	"strings"
	"testing"
)

// The rules of the command line as SPEC.md, section 2, tells them, in its order.
var rules = []struct {
	rule string
	argv []string
	kong []string // what is left for kong; nil: it is refused
	args []string // the command, or what the verb is about
	try  string   // of what is refused: the line to type instead
}{
	{"with no verb the verb is run", typed("sleep 10"), typed("run"), typed("sleep 10"), ""},
	{"the first word that is no flag begins the command, its flags included", typed("run --name n ls --name x -f --json"), typed("run --name=n"), typed("ls --name x -f --json"), ""},
	{"... also without the verb", typed("--name n ls --all"), typed("run --name=n"), typed("ls --all"), ""},
	{"... and a verb's name in it is a word", typed("echo list --"), typed("run"), typed("echo list --"), ""},
	{"after -- it is the command", typed("run -- --name x"), typed("run"), typed("--name x"), ""},
	{"after -- a verb's name is a command", typed("-- list"), typed("run"), typed("list"), ""},
	{"... with flags of jobman before it", typed("--name x -- kill me"), typed("run --name=x"), typed("kill me"), ""},
	{"a flag that may be given several times is", typed("run --env A=1 --env B=2 x"), typed("run --env=A=1 --env=B=2"), typed("x"), ""},
	{"-word that is exactly a long flag's name is --word", typed("run -follow x"), typed("run --follow"), typed("x"), ""},
	{"... with its value too", typed("run -name n x"), typed("run --name=n"), typed("x"), ""},
	{"... and behind =", typed("-name=n x"), typed("run --name=n"), typed("x"), ""},
	{"... and dotted", typed("run -wait.any x"), typed("run --wait.any"), typed("x"), ""},
	{"what is no long flag's name is a bundle", typed("run -fq x"), typed("run --follow --quiet"), typed("x"), ""},
	{"flags may follow the positionals", typed("show j --json"), typed("show job --json -- j"), typed("j"), ""},
	{"... of any verb but run", typed("wait a b --timeout 5"), typed("wait --timeout=5 -- a b"), typed("a b"), ""},
	{"a negative number may be a flag's value", typed("run --retries.num-runs -1 x"), typed("run --retries.num-runs=-1"), typed("x"), ""},
	{"... as SPEC has it", typed("logs j --run -1"), typed("logs --run=-1 -- j"), typed("j"), ""},
	{"a negative number may be N", typed("show run j -1"), typed("show run -- j -1"), typed("j -1"), ""},
	{"any other value that begins with a dash needs =", typed("run --name -x ls"), nil, nil, "jobman run --name=-x ls"},
	{"... a flag too", typed("run --name --unique ls"), nil, nil, "jobman run --name=--unique ls"},
	{"... and has it", typed("run --name=-x ls"), typed("run --name=-x"), typed("ls"), ""},
	{"a dash alone is a word", typed("run --from - --json"), typed("run --from=- --json"), nil, ""},
	{"booleans take =false", typed("run --follow=false x"), typed("run --follow=false"), typed("x"), ""},
	{"... also the short ones", typed("run -f=false x"), typed("run --follow=false"), typed("x"), ""},
	{"booleans take --no-NAME", typed("run --no-follow x"), typed("run --follow=false"), typed("x"), ""},
	{"... and dotted", typed("run --no-log.stdout x"), typed("run --log.stdout=false"), typed("x"), ""},
	{"a dotted boolean followed by true is refused", typed("run --log.stdout true"), nil, nil, "jobman --log.stdout=true ..."},
	{"... or by false", typed("--wait.any false"), nil, nil, "jobman --wait.any=false ..."},
	{"... but others are followed by the command", typed("run --follow true"), typed("run --follow"), typed("true"), ""},
	{"job after kill is the sub-verb", typed("kill job run"), typed("kill job -- run"), typed("run"), ""},
	{"run after kill is the sub-verb", typed("kill run j"), typed("kill run -- j"), typed("j"), ""},
	{"job after show is the sub-verb", typed("show job job"), typed("show job -- job"), typed("job"), ""},
	{"run after show is the sub-verb", typed("show run run"), typed("show run -- run"), typed("run"), ""},
	{"... also behind flags", typed("show --json run j"), typed("show run --json -- j"), typed("j"), ""},
	{"... but not behind a job", typed("kill j run"), typed("kill job -- j run"), typed("j run"), ""},
	{"common options may come before the verb", typed("--db d --json list --all"), typed("list --db=d --json --all"), nil, ""},
	{"a flag that is misspelt is refused with the nearest", typed("run --nam x ls"), nil, nil, "jobman run --name x ls"},
	{"... its value stays", typed("run --nam=x ls"), nil, nil, "jobman run --name=x ls"},
	{"... of another verb too", typed("list --al"), nil, nil, "jobman list --all"},
	{"a flag of another verb is none", typed("run --older-than 3d ls"), nil, nil, "jobman help run"},
	{"a flag without its value is refused", typed("list --limit"), nil, nil, ""},
	{"rerun takes one job, and a command after --", typed("rerun j -- ls -l"), typed("rerun -- j"), typed("j ls -l"), ""},
	{"... not before", typed("rerun j ls"), nil, nil, "jobman rerun j -- ls"},
	{"config alone is config show", typed("config --origin"), typed("config show --origin"), nil, ""},
}

func typed(text string) []string { return strings.Fields(text) }

func TestRulesOfTheCommandLine(t *testing.T) {
	for _, r := range rules {
		w, err := splitLine(t, r.argv...)
		if r.kong == nil {
			p, code := classify(err)
			if err == nil || code != codeUsage || p.hint != r.try {
				t.Errorf("%s: %q\ngot  %v, try %q\nwant an error, try %q", r.rule, r.argv, err, p.hint, r.try)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %q: %v", r.rule, r.argv, err)
			continue
		}
		if !slices.Equal(w.kong(), r.kong) || !slices.Equal(w.args, r.args) {
			t.Errorf("%s: %q\ngot  %q %q\nwant %q %q", r.rule, r.argv, w.kong(), w.args, r.kong, r.args)
		}
	}
}

// What needs neither a store nor a terminal of the traps.
func TestTrapsAreRefusedWithTheLineToType(t *testing.T) {
	for _, c := range []struct{ line, try string }{
		{"ps", "jobman list"}, {"status", "jobman list"}, {"stop", "jobman kill JOB"}, {"cancel", "jobman kill JOB"},
		{"--json ps", "jobman list"},
	} {
		w, err := splitLine(t, typed(c.line)...)
		if err != nil {
			t.Fatal(err)
		}
		p, code := classify((&app{words: w}).trap())
		if code != codeUsage || p.hint != c.try {
			t.Errorf("%s: code %d, try %q", c.line, code, p.hint)
		}
	}
	for _, line := range []string{"ps aux", "-- ps", "run stop", "status -v"} {
		w, err := splitLine(t, typed(line)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := (&app{words: w}).trap(); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for word, near := range map[string]string{"lst": "list", "shwo": "show", "klil": "kill", "make": "", "j1": ""} {
		if got := nearestVerb(word); got != near {
			t.Errorf("%s is taken for %q, want %q", word, got, near)
		}
	}
}
