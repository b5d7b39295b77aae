package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testSchema is a small grammar with all kinds of options; that of the command line
// is tested in cmd/jobman.
var testSchema = Schema{
	Common: []Option{{Name: "db", Type: "string"}, {Name: "log-level", Type: "string", Enum: []string{"warn", "debug"}}, {Name: "config-file", Type: "string", Once: true}},
	Run: []Option{
		{Name: "name", Type: "string"}, {Name: "group", Type: "string"}, {Name: "stop-grace", Type: "string"}, {Name: "chdir", Type: "string"},
		{Name: "env", Type: "string", List: true}, {Name: "wait.file", Type: "string", List: true}, {Name: "wait.script", Type: "string", List: true},
		{Name: "wait.any", Type: "boolean"}, {Name: "wait.datetime", Type: "string"}, {Name: "log.stdout", Type: "boolean"}, {Name: "log.file.max-bytes", Type: "string"},
		{Name: "retry", Type: "integer"}, {Name: "retries.num-runs", Type: "integer"}, {Name: "retries.num-successes", Type: "integer"},
		{Name: "retries.success-codes", Type: "string", Codes: true}, {Name: "retries.delay", Type: "string"},
		{Name: "retries.exponential-backoff-base", Type: "number"}, {Name: "timeout", Type: "string"}, {Name: "timeout.run", Type: "string"},
		{Name: "property", Type: "string", List: true}, {Name: "uid", Type: "string"}, {Name: "from", Type: "string", Once: true},
		{Name: "notify", Type: "string", List: true}, {Name: "notify.on-failure", Type: "string", List: true},
	},
	Verb: func(name string) ([]Option, bool) {
		options, ok := testVerbs[name]
		return options, ok
	},
	Verbs: func() []string { return []string{"kill", "kill-run", "list"} },
}

var testVerbs = map[string][]Option{
	"list": {{Name: "limit", Type: "integer"}}, "kill": {{Name: "now", Type: "boolean"}}, "kill-run": {{Name: "now", Type: "boolean"}},
}

// read is the settings of one file.
func read(t testing.TB, name, text string) *Settings {
	t.Helper()
	s := &Settings{schema: testSchema}
	f := &file{name: name}
	s.problems = f.parse([]byte(text), &s.schema, true)
	s.files = []*file{f}
	return s
}

// printed is all that a file sets, in TOML.
func printed(s *Settings) string {
	var all []Setting
	for _, section := range append([]string{"", verbRun}, s.Sections()...) {
		all = append(all, s.Tables(section)...)
	}
	slices.SortStableFunc(all, func(a, b Setting) int { return strings.Compare(a.Option, b.Option) })
	return string(AppendTOML(nil, all, nil))
}

func TestTheSameInAllFormats(t *testing.T) {
	want := ""
	for _, ext := range extensions {
		if ext == "yml" {
			continue
		}
		name := filepath.Join("testdata", "same."+ext)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := read(t, name, string(text))
		if err := s.Err(); err != nil {
			t.Errorf("%s: %v", ext, s.problems)
		}
		got := printed(s)
		if want == "" {
			want = got
			for _, part := range []string{`[names."Nightly.v2-x"]`, `file = ["/a,b", "/c"]`, "timeout.run = \"2h\"", "[names.UPPER]\nretries.num-runs = 3\nretries.num-successes = 1"} {
				if !strings.Contains(want, part) {
					t.Errorf("no %q in\n%s", part, want)
				}
			}
		}
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", ext, got, want)
		}
	}
}

// Every key of every format has the line where it stands.
func TestLines(t *testing.T) {
	for _, ext := range extensions {
		if ext == "yml" {
			continue
		}
		name := filepath.Join("testdata", "same."+ext)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		s := read(t, name, string(text))
		s.Each(func(set Setting) {
			last := set.path[len(set.path)-1]
			last = last[strings.LastIndexByte(last, '.')+1:]
			if n := set.Line(); n < 1 || n > len(lines) || !strings.Contains(lines[n-1], last) {
				t.Errorf("%s: %v is said to be in line %d", ext, set.path, n)
			}
		})
	}
}

func TestValuesAreWhatTheyWereWritten(t *testing.T) {
	for name, c := range map[string]struct{ text, option, want string }{
		"a.yaml: a time without a zone is none of UTC": {"run:\n  wait.datetime: 2026-11-23 08:00:00\n", "wait.datetime", "2026-11-23 08:00:00"},
		"a.toml: a local time":                         {"[run]\nwait.datetime = 2026-11-23T08:00:00\n", "wait.datetime", "2026-11-23T08:00:00"},
		"a.toml: a time with a zone":                   {"[run]\nwait.datetime = 2026-11-23T08:00:00Z\n", "wait.datetime", "2026-11-23T08:00:00Z"},
		"a.json: a big number":                         {`{"run": {"log.file.max-bytes": 9007199254740993}}`, "log.file.max-bytes", "9007199254740993"},
		"a.json: a list of codes":                      {`{"run": {"retries": {"success-codes": [0, "10-19"]}}}`, "retries.success-codes", "0,10-19"},
		"a.env: quotes":                                {"RUN_GROUP='a # b'\n", "group", "a # b"},
		"a.properties: escapes":                        {"run.group = caf\\u00e9\n", "group", "café"},
	} {
		file, _, _ := strings.Cut(name, ":")
		s := read(t, file, c.text)
		if err := s.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if set, _ := s.Find(verbRun, c.option); set.Text != c.want {
			t.Errorf("%s: %q, want %q", name, set.Text, c.want)
		}
	}
}
