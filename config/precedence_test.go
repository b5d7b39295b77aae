package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// site is a source and a level at which an option can be set.
type site struct {
	place string // "" for a variable
	level Level
}

// sites are all there are, strongest first. The level decides before the file.
func sites() []site {
	all := []site{{"", LevelVariable}}
	for _, level := range []Level{LevelJobSpec, LevelName, LevelGroup, LevelPattern, LevelGlobal} {
		for _, place := range []string{"named", "here", "home", "etc"} {
			all = append(all, site{place, level})
		}
	}
	return all
}

// table begins the table of a level that the job of the test is in.
func (s site) table() string {
	return map[Level]string{
		LevelJobSpec: "[job_spec.spec]", LevelName: "[names.\"the.Name\"]", LevelGroup: "[groups.the-group]",
		LevelPattern: "[[patterns]]\nmatch = '^rsync'", LevelGlobal: "[run]",
	}[s.level]
}

// world is a set of places.
type world struct {
	t   *testing.T
	dir string
}

func newWorld(t *testing.T) world { return world{t, t.TempDir()} }

func (w world) places() Places {
	p := Places{
		Here: filepath.Join(w.dir, "here"), Home: filepath.Join(w.dir, "home"), Etc: filepath.Join(w.dir, "etc"),
		Trusted: func(string) bool { return true },
	}
	if _, err := os.Stat(w.file("named")); err == nil {
		p.File = w.file("named")
	}
	return p
}

func (w world) file(place string) string {
	name := map[string]string{"named": "x.toml", "here": "here/.jobman.toml", "home": "home/.jobman.toml", "etc": "etc/jobman.toml"}[place]
	return filepath.Join(w.dir, name)
}

func (w world) write(place, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.file(place)), 0o700); err != nil {
		w.t.Fatal(err)
	}
	f, err := os.OpenFile(w.file(place), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
}

func (w world) load() *Settings {
	w.t.Helper()
	s := Load(w.places(), func() Schema { return testSchema })
	if err := s.Err(); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// subject is a job that is in the table of every level.
func subject() Subject {
	name, group := "the.Name", "the-group"
	return Subject{JobSpec: "spec", Name: &name, Group: &group, Command: []string{"rsync", "-a"}}
}

// Of any two settings of an option the stronger one wins, whichever two they are.
func TestPrecedenceOfAllPairs(t *testing.T) {
	all := sites()
	for i, strong := range all {
		for _, weak := range all[i+1:] {
			t.Run(fmt.Sprintf("%s in %s beats %s in %s", strong.level, strong.place, weak.level, weak.place), func(t *testing.T) {
				w := newWorld(t)
				w.write("etc", "[job_spec.spec]\nchdir = '/'\n") // so that there is one
				for _, s := range []struct {
					site
					value string
				}{{strong, "1s"}, {weak, "2s"}} {
					if s.place == "" {
						t.Setenv("JOBMAN_RETRIES_DELAY", s.value)
						continue
					}
					table := s.table() + "\n"
					if s.place == "etc" && s.level == LevelJobSpec {
						table = "" // it is open
					}
					w.write(s.place, table+"retries.delay = '"+s.value+"'\n")
				}
				r, err := w.load().Resolve(subject())
				if err != nil {
					t.Fatal(err)
				}
				set, ok := r.Find("retries.delay")
				if !ok || set.Text != "1s" || set.Level != strong.level {
					t.Errorf("got %q of level %s, from %s", set.Text, set.Level, set.Origin())
				}
			})
		}
	}
}

// Of the options of other verbs, and of the common ones, the stronger file wins, and a
// variable beats all.
func TestPrecedenceWithoutLevels(t *testing.T) {
	w := newWorld(t)
	for _, place := range []string{"etc", "home", "here", "named"} {
		w.write(place, "db = '/"+place+"'\n[list]\nlimit = "+fmt.Sprint(len(place))+"\n")
		s := w.load()
		if db, _ := s.Lookup("", "db"); db != "/"+place {
			t.Errorf("db is %q, though %s has it", db, place)
		}
		if limit, _ := s.Lookup("list", "limit"); limit != fmt.Sprint(len(place)) {
			t.Errorf("limit is %q, though %s has it", limit, place)
		}
	}
	t.Setenv("JOBMAN_DB", "/variable")
	t.Setenv("JOBMAN_LIST_LIMIT", "7")
	t.Setenv("JOBMAN_LIMIT", "8") // none of run's: ignored
	s := w.load()
	if db, _ := s.Lookup("", "db"); db != "/variable" {
		t.Errorf("db is %q", db)
	}
	if limit, _ := s.Lookup("list", "limit"); limit != "7" {
		t.Errorf("limit is %q", limit)
	}
}

func TestHowLevelsMeet(t *testing.T) {
	for _, c := range []struct {
		name   string
		etc    string
		home   string
		env    string // NAME=VALUE
		option string
		want   []string // nil: the built-in default
	}{
		{"a list replaces the weaker one", "[run]\nwait.file = ['/a', '/b']", "[run]\nwait.file = ['/c']", "", "wait.file", []string{"/c"}},
		{"an empty text clears", "[run]\nretries.delay = '1s'", "[names.'the.Name']\nretries.delay = ''", "", "retries.delay", nil},
		{"an empty list clears", "[run]\nwait.file = ['/a']", "[run]\nwait.file = []", "", "wait.file", nil},
		{"an empty variable clears", "[run]\nretries.delay = '1s'", "", "JOBMAN_RETRIES_DELAY=", "retries.delay", nil},
		{"callbacks add up, strongest first, once", "[run]\nnotify.any = ['a', 'b']", "[names.'the.Name']\nnotify.any = ['c', 'a']", "JOBMAN_NOTIFY=d", "notify", []string{"d", "c", "a", "b"}},
		{"until one clears them", "[run]\nnotify.on-failure = ['a']\n[groups.the-group]\nnotify.on-failure = ''", "[names.'the.Name']\nnotify.on-failure = ['c']", "", "notify.on-failure", []string{"c"}},
		{"a variable has commas between", "", "", `JOBMAN_WAIT_FILE=/a\,b,/c`, "wait.file", []string{"/a,b", "/c"}},
		{"what timeout is short for", "[run]\ntimeout.run = '1s'", "[names.'the.Name']\ntimeout = '2s'", "", "timeout.run", []string{"2s"}},
		{"the same, as a variable", "[run]\ntimeout.run = '1s'", "", "JOBMAN_TIMEOUT=3s", "timeout.run", []string{"3s"}},
		{"what retry is short for", "[run]\nretries.num-runs = 9", "[names.'the.Name']\nretry = 2", "", "retries.num-runs", []string{"3"}},
		{"a stronger limit leaves the other", "[run]\nretry = 2", "[names.'the.Name']\nretries.num-runs = 9", "", "retries.num-successes", []string{"1"}},
		{"of the patterns the later one", "[[patterns]]\nmatch = 'r'\nretries.delay = '1s'\n[[patterns]]\nmatch = 'rsync'\nretries.delay = '2s'\n[[patterns]]\nmatch = 'xyz'\nretries.delay = '3s'", "", "", "retries.delay", []string{"2s"}},
		{"but the stronger file's first", "[[patterns]]\nmatch = 'r'\nretries.delay = '1s'\n[[patterns]]\nmatch = 'rsync'\nretries.delay = '2s'", "[[patterns]]\nmatch = 's'\nretries.delay = '4s'", "", "retries.delay", []string{"4s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("etc", c.etc)
			w.write("home", c.home)
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			sub := subject()
			sub.JobSpec = ""
			r, err := w.load().Resolve(sub)
			if err != nil {
				t.Fatal(err)
			}
			set, ok := r.Find(c.option)
			got := set.List
			if set.List == nil {
				got = []string{set.Text}
			}
			if option := find(testSchema.Run, c.option); ok && option.List {
				got = set.Items()
			}
			if ok != (c.want != nil) || ok && !slices.Equal(got, c.want) {
				t.Errorf("got %q (%t), want %q", got, ok, c.want)
			}
		})
	}
}

// The name is settled first, then the group, then the rest.
func TestNameThenGroupThenTheRest(t *testing.T) {
	w := newWorld(t)
	w.write("home", `
[[patterns]]
match = '^rsync'
name = "sync"
[names.sync]
group = "net"
[groups.net]
retries.delay = "7s"
[names."ls -l"]
retries.delay = "8s"
[job_spec.spec]
command = ["rsync", "x"]
[run]
name = ""
`)
	s := w.load()
	for _, c := range []struct {
		sub                Subject
		name, group, delay string
	}{
		{Subject{Command: []string{"rsync", "-a"}}, "sync", "net", "7s"},
		{Subject{JobSpec: "spec"}, "sync", "net", "7s"},
		{Subject{Command: []string{"ls", "-l"}}, "ls -l", "", "8s"},
		{Subject{JobSpec: "spec", Command: []string{"true"}}, "true", "", ""},
		{Subject{Command: []string{"rsync"}, Name: new(string)}, "rsync", "", ""},
		{Subject{Command: []string{"rsync"}, Group: new(string)}, "sync", "", ""},
	} {
		r, err := s.Resolve(c.sub)
		if err != nil {
			t.Fatal(err)
		}
		if set, _ := r.Find("retries.delay"); r.Name != c.name || r.Group != c.group || set.Text != c.delay {
			t.Errorf("%+v: name %q, group %q, delay %q", c, r.Name, r.Group, set.Text)
		}
	}
}

func TestNoFileCostsNothing(t *testing.T) {
	w := newWorld(t)
	s := Load(w.places(), func() Schema {
		t.Error("the schema is built")
		return testSchema
	})
	if _, err := s.Resolve(subject()); err == nil || !s.Empty() {
		t.Error("there is a job-spec though there is no file")
	}
}
