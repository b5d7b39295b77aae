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
	{"with no verb the verb is run", wordsOf("sleep 10"), wordsOf("run"), wordsOf("sleep 10"), ""},
	{"the first word that is no flag begins the command, its flags included", wordsOf("run --name n ls --name x -f --json"), wordsOf("run --name=n"), wordsOf("ls --name x -f --json"), ""},
	{"... also without the verb", wordsOf("--name n ls --all"), wordsOf("run --name=n"), wordsOf("ls --all"), ""},
	{"... and a verb's name in it is a word", wordsOf("echo list --"), wordsOf("run"), wordsOf("echo list --"), ""},
	{"after -- it is the command", wordsOf("run -- --name x"), wordsOf("run"), wordsOf("--name x"), ""},
	{"after -- a verb's name is a command", wordsOf("-- list"), wordsOf("run"), wordsOf("list"), ""},
	{"... with flags of jobman before it", wordsOf("--name x -- kill me"), wordsOf("run --name=x"), wordsOf("kill me"), ""},
	{"a flag that may be given several times is", wordsOf("run --env A=1 --env B=2 x"), wordsOf("run --env=A=1 --env=B=2"), wordsOf("x"), ""},
	{"-word that is exactly a long flag's name is --word", wordsOf("run -follow x"), wordsOf("run --follow"), wordsOf("x"), ""},
	{"... with its value too", wordsOf("run -name n x"), wordsOf("run --name=n"), wordsOf("x"), ""},
	{"... and behind =", wordsOf("-name=n x"), wordsOf("run --name=n"), wordsOf("x"), ""},
	{"... and dotted", wordsOf("run -wait.any x"), wordsOf("run --wait.any"), wordsOf("x"), ""},
	{"what is no long flag's name is a bundle", wordsOf("run -fq x"), wordsOf("run --follow --quiet"), wordsOf("x"), ""},
	{"flags may follow the positionals", wordsOf("show j --json"), wordsOf("show job --json -- j"), wordsOf("j"), ""},
	{"... of any verb but run", wordsOf("wait a b --timeout 5"), wordsOf("wait --timeout=5 -- a b"), wordsOf("a b"), ""},
	{"a negative number may be a flag's value", wordsOf("run --retries.num-runs -1 x"), wordsOf("run --retries.num-runs=-1"), wordsOf("x"), ""},
	{"... as SPEC has it", wordsOf("logs j --run -1"), wordsOf("logs --run=-1 -- j"), wordsOf("j"), ""},
	{"a negative number may be N", wordsOf("show run j -1"), wordsOf("show run -- j -1"), wordsOf("j -1"), ""},
	{"any other value that begins with a dash needs =", wordsOf("run --name -x ls"), nil, nil, "jobman run --name=-x ls"},
	{"... a flag too", wordsOf("run --name --unique ls"), nil, nil, "jobman run --name=--unique ls"},
	{"... and has it", wordsOf("run --name=-x ls"), wordsOf("run --name=-x"), wordsOf("ls"), ""},
	{"a dash alone is a word", wordsOf("run --from - --json"), wordsOf("run --from=- --json"), nil, ""},
	{"booleans take =false", wordsOf("run --follow=false x"), wordsOf("run --follow=false"), wordsOf("x"), ""},
	{"... also the short ones", wordsOf("run -f=false x"), wordsOf("run --follow=false"), wordsOf("x"), ""},
	{"booleans take --no-NAME", wordsOf("run --no-follow x"), wordsOf("run --follow=false"), wordsOf("x"), ""},
	{"... and dotted", wordsOf("run --no-log.stdout x"), wordsOf("run --log.stdout=false"), wordsOf("x"), ""},
	{"a dotted boolean followed by true is refused", wordsOf("run --log.stdout true"), nil, nil, "jobman --log.stdout=true ..."},
	{"... or by false", wordsOf("--wait.any false"), nil, nil, "jobman --wait.any=false ..."},
	{"... but others are followed by the command", wordsOf("run --follow true"), wordsOf("run --follow"), wordsOf("true"), ""},
	{"job after kill is the sub-verb", wordsOf("kill job run"), wordsOf("kill job -- run"), wordsOf("run"), ""},
	{"run after kill is the sub-verb", wordsOf("kill run j"), wordsOf("kill run -- j"), wordsOf("j"), ""},
	{"job after show is the sub-verb", wordsOf("show job job"), wordsOf("show job -- job"), wordsOf("job"), ""},
	{"run after show is the sub-verb", wordsOf("show run run"), wordsOf("show run -- run"), wordsOf("run"), ""},
	{"... also behind flags", wordsOf("show --json run j"), wordsOf("show run --json -- j"), wordsOf("j"), ""},
	{"... but not behind a job", wordsOf("kill j run"), wordsOf("kill job -- j run"), wordsOf("j run"), ""},
	{"common options may come before the verb", wordsOf("--db d --json list --all"), wordsOf("list --db=d --json --all"), nil, ""},
	{"a flag that is misspelt is refused with the nearest", wordsOf("run --nam x ls"), nil, nil, "jobman run --name x ls"},
	{"... its value stays", wordsOf("run --nam=x ls"), nil, nil, "jobman run --name=x ls"},
	{"... of another verb too", wordsOf("list --al"), nil, nil, "jobman list --all"},
	{"a flag of another verb is none", wordsOf("run --older-than 3d ls"), nil, nil, "jobman help run"},
	{"a flag without its value is refused", wordsOf("list --limit"), nil, nil, ""},
	{"rerun takes one job, and a command after --", wordsOf("rerun j -- ls -l"), wordsOf("rerun -- j"), wordsOf("j ls -l"), ""},
	{"... not before", wordsOf("rerun j ls"), nil, nil, "jobman rerun j -- ls"},
	{"config alone is config show", wordsOf("config --origin"), wordsOf("config show --origin"), nil, ""},
}

func wordsOf(text string) []string { return strings.Fields(text) }

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
		w, err := splitLine(t, wordsOf(c.line)...)
		if err != nil {
			t.Fatal(err)
		}
		p, code := classify((&app{words: w}).trap())
		if code != codeUsage || p.hint != c.try {
			t.Errorf("%s: code %d, try %q", c.line, code, p.hint)
		}
	}
	for _, line := range []string{"ps aux", "-- ps", "run stop", "status -v"} {
		w, err := splitLine(t, wordsOf(line)...)
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
