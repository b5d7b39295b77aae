package config

import (
	"os"
	"strings"
	"testing"
)

func TestWhatIsWrongWithAFile(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"x.toml", "[run]\nretires.delay = '3s'", `x.toml:2: run.retires.delay: there is no such key; the nearest is "retries.delay"`},
		{"x.yaml", "run:\n  retries:\n    delai: 3s", `x.yaml:3: run.retries.delai: there is no such key; the nearest is "retries.delay"`},
		{"x.json", "{\n\"rnu\": {\"group\": \"x\"}}", `x.json:2: rnu.group: there is no such key`},
		{"x.hcl", "run {\n  groop = \"x\"\n}", `x.hcl:2: run.groop: there is no such key; the nearest is "group"`},
		{"x.ini", "[run]\n\ngroop = x", `x.ini:3: run.groop: there is no such key; the nearest is "group"`},
		{"x.properties", "run.groop = x", `x.properties:1: run.groop: there is no such key; the nearest is "group"`},
		{"x.env", "\nRUN_GROOP=x", `x.env:2: RUN_GROOP: there is no such key; the nearest is "RUN_GROUP"`},
		{"x.env", "NAMES_a_RETRIES_DELEY=x", `the nearest is "NAMES_a_RETRIES_DELAY"`},
		{"x.toml", "[lsit]\nlimit = 3", "lsit.limit: there is no such key"},
		{"x.toml", "lst = 3", `the nearest is "list"`},
		{"x.toml", "[list]\nlimits = 3", `the nearest is "limit"`},
		{"x.toml", "[names.a]\nname = 'b'", "[names] are looked at"},
		{"x.toml", "[groups.a]\ngroup = 'b'", "[groups] are looked at"},
		{"x.toml", "[groups.a]\nname = 'b'", "[groups] are looked at"},
		{"x.toml", "[run]\nfrom = 'b'", "for the command line only"},
		{"x.toml", "config-file = 'b'", "for the command line only"},
		{"x.toml", "[run]\ngroup = ['a']", "it takes one value, not a list"},
		{"x.toml", "run = 3", "it is a table, not a value"},
		{"x.toml", "names.x = 3", "it is a table, not a value"},
		{"x.toml", "[[names]]\nx = 3", "names.1.x: there is no such key"},
		{"x.toml", "[[patterns]]\ngroup = 'x'", "x.toml:1: patterns.1: it has no match"},
		{"x.toml", "[[patterns]]\nmatch = '('", "x.toml:2: patterns.1.match: error parsing regexp"},
		{"x.toml", "[patterns.x]\nmatch = 'a'", "patterns are a list, or have numbers from 1"},
		{"x.toml", "[run]\ntimeout.run = '1s'\n[run.'timeout']\nrun = '2s'", "x.toml:3: "},
		{"x.ini", "[run]\ntimeout = 1s\n[run.timeout]\nrun = 2s", "run.timeout.run is set twice"},
		{"x.properties", "run.timeout.run = 1s\nrun.notify.any = a\nrun.notify = b", "x.properties:2: run.notify.any: run.notify.any is set twice"},
		{"x.json", `{"run": {"timeout.run": "1s", "timeout": "2s"}}`, "run.timeout.run is set twice"},
		{"x.toml", "[run]\nretry = 2\nretries.num-runs = 1", "is set twice"},
		{"x.toml", "[run]\nretry = -1", `retry is "-1"; give a number from 0`},
		{"x.toml", "[job_spec.a]\ncommand = 'sleep 10'", "a command is a list of words"},
		{"x.toml", "[run\n", "x.toml:1: "},
		{"x.yaml", "a: b\nc: d: e", "x.yaml:2: "},
		{"x.json", "{\n,}", "x.json:2: "},
		{"x.json", "{} {}", "more than one document"},
		{"x.hcl", "run {\n  a = \n}", "x.hcl:"},
		{"x.env", "no key", "x.env"},
		{"x.ini", "[run]\ngroup = \xff", "it is not UTF-8"},
	} {
		s := read(t, c.name, c.text)
		if err := s.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %q:\ngot  %v\nwant %s", c.name, c.text, err, c.want)
		}
	}
}

func TestEveryErrorAtOnce(t *testing.T) {
	s := read(t, "x.toml", "a = 1\n[run]\nb = 2\n[list]\nc = 3\nlimit = [1]")
	if len(s.problems) != 4 {
		t.Fatalf("got %v", []Problem(s.problems))
	}
	if !strings.HasSuffix(s.Err().Error(), "(and 3 more)") {
		t.Error(s.Err())
	}
}

// A file in the working directory may have come with a cloned repository.
func TestAFileInTheWorkingDirectory(t *testing.T) {
	w := newWorld(t)
	w.write("here", "")
	places := w.places()
	trusted := false
	places.Trusted = func(string) bool { return trusted }
	for text, allowed := range map[string]bool{
		"[run]\nretries.delay = '1s'": true, "[run]\nwait.file = ['x']": true, "[names.x]\ngroup = 'y'": true, "[groups.x]\nretry = 1": true,
		"[[patterns]]\nmatch = 'x'\ngroup = 'y'": true,
		"db = 'x'":                               false, "[list]\nlimit = 1": false, "[run]\nwait.script = ['./x']": false, "[run]\nproperty = ['a=b']": false, "[run]\nuid = 'root'": false,
		"[run]\nnotify.any = ['x']": false, "[run]\nnotify.on-failure = ['x']": false, "[names.x]\nwait.script = ['./x']": false, "[[patterns]]\nmatch = 'x'\nuid = '0'": false,
		"[run]\nenv = ['LD_PRELOAD=./x']": false, "[job_spec.x]\ncommand = ['x']": false, "[callbacks.x]\ntype = 'write'": false,
		"[sensors.x]\ntype = 'file'": false, "[reaper]\nmax_jobs = 1": false,
	} {
		if err := os.WriteFile(w.file("here"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		trusted = false
		err := Load(places, func() Schema { return testSchema }).Err()
		if (err == nil) != allowed || err != nil && !strings.Contains(err.Error(), "trusted") {
			t.Errorf("%q: %v", text, err)
		}
		trusted = true
		if err := Load(places, func() Schema { return testSchema }).Err(); err != nil {
			t.Errorf("%q, trusted: %v", text, err)
		}
	}
}

func TestTrustIsOfTheContent(t *testing.T) {
	w := newWorld(t)
	w.write("here", "a")
	sumNow := func() string {
		sum, err := Sum(w.file("here"))
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if Trusts(w.dir, sumNow()) {
		t.Fatal("it is trusted from the beginning")
	}
	for range 2 {
		if err := Trust(w.dir, w.file("here")); err != nil {
			t.Fatal(err)
		}
	}
	if !Trusts(w.dir, sumNow()) {
		t.Error("it is not trusted")
	}
	w.write("here", "b")
	if Trusts(w.dir, sumNow()) {
		t.Error("it is trusted though it changed")
	}
	if err := Trust(w.dir, w.file("etc")); err == nil {
		t.Error("a file that is not there is trusted")
	}
}

func TestPlaces(t *testing.T) {
	load := func(p Places) error { return Load(p, func() Schema { return testSchema }).Err() }
	w := newWorld(t)
	w.write("home", "db = '/x'")
	if err := os.WriteFile(w.dir+"/home/.jobman.bak", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := load(w.places()); err != nil {
		t.Errorf("another ending is not ignored: %v", err)
	}
	if err := os.WriteFile(w.dir+"/home/.jobman.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := load(w.places()); err == nil || !strings.Contains(err.Error(), "two configurations in one place") {
		t.Errorf("two in one place: %v", err)
	}
	p := newWorld(t).places()
	p.File = "missing.toml"
	if err := load(p); err == nil || !strings.Contains(err.Error(), "missing.toml: no such file") {
		t.Errorf("a missing file: %v", err)
	}
	p.File = "missing.txt"
	if err := load(p); err == nil || !strings.Contains(err.Error(), "its ending says no format") {
		t.Errorf("a file of no format: %v", err)
	}
	// The home directory's file is the user's own, also for who is there.
	w = newWorld(t)
	w.write("home", "db = '/x'")
	p = w.places()
	p.Here, p.Trusted = p.Home, nil
	if err := load(p); err != nil {
		t.Errorf("at home: %v", err)
	}
}

func TestSections(t *testing.T) {
	s := read(t, "x.toml", `
[sensors.good]
type = "file"
paths = ["a", "b"]
any = true
delay = "30s"
[sensors.typeless]
delay = "3s"
[sensors.odd]
type = "fiel"
[sensors.empty]
type = "http"
[sensors.wrong]
type = "http"
paths = ["x"]
[sensors.soon]
type = "timedelta"
after = "soon"
[sensors.idle]
type = "file"
paths = "x"
poll-interval = "1s"
[callbacks.good]
type = "email"
to = ["a@b"]
password_file = "x"
on = ["retry"]
[callbacks.typeless]
on = ["retry"]
[callbacks.odd]
type = "fax"
[callbacks.when]
type = "write"
on = ["never"]
[callbacks.wrong]
type = "slack"
url = "x"
path = "y"
[callbacks.empty]
type = "webhook"
[reaper]
max_jobs = 10
max_age = "30d"
`)
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	if good, err := s.Sensor("good"); err != nil || good.Kind != "file" || len(good.Targets) != 2 || !good.Any || good.Delay.String() != "30s" {
		t.Errorf("%+v, %v", good, err)
	}
	if good, err := s.Callback("good"); err != nil || good.Type != "email" || good.Keys["to"][0] != "a@b" || good.On[0] != "retry" {
		t.Errorf("%+v, %v", good, err)
	}
	for name, want := range map[string]string{
		"typeless": "it has no type", "odd": `no type "fiel"`, "empty": "needs urls", "wrong": "it is not for the type http, which has urls",
		"soon": "is not a duration", "idle": "is for script", "godo": `the nearest is "good"`,
	} {
		if _, err := s.Sensor(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("sensor %s: %v", name, err)
		}
	}
	for name, want := range map[string]string{
		"typeless": "it has no type", "odd": `no type "fax"`, "when": `no event "never"`, "wrong": "it is not for the type slack", "empty": "needs url", "godo": `the nearest is "good"`,
	} {
		if _, err := s.Callback(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("callback %s: %v", name, err)
		}
	}
	for _, name := range []string{"script:/x", "mailto:a@b", "https://x", "good"} {
		if err := s.CheckNotify(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r, err := s.Reaper(); err != nil || r.MaxJobs != 10 || r.MaxAge.String() != "4w2d" {
		t.Errorf("%+v, %v", r, err)
	}
	if v, _ := s.Lookup("reaper", "max_jobs"); v != "10" {
		t.Errorf("max_jobs is %v", v)
	}
	for _, text := range []string{"max_jobs = 0", "max_jobs = 'x'", "max_age = 'x'", "max_age = '0s'"} {
		if _, err := read(t, "x.toml", "[reaper]\n"+text).Reaper(); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	for given, shown := range map[string]string{
		"slack:https://hooks.example/T0/secret": "slack:https://hooks.example/...", "https://user:pw@x.example?token=1": "https://x.example/...",
		"ops": "ops", "mailto:a@b": "mailto:a@b",
	} {
		set := Setting{Section: verbRun, Option: optionNotify, List: []string{given}}.Redacted()
		if set.List[0] != shown {
			t.Errorf("%s is shown as %s", given, set.List[0])
		}
	}
	for _, set := range s.Tables(sectionCallbacks) {
		if shown := set.Redacted(); shown.Text == "x" && set.Option == "url" {
			t.Error("the URL of a callback is shown")
		}
	}
}
