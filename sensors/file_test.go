package sensors

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"jobman/job"
)

func TestFile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/one.csv", "a/two.csv", "a/.hidden.txt", "b/one.csv", "[x].log"} {
		write(t, filepath.Join(dir, name), "", 0o600)
	}
	for _, c := range []struct {
		glob, detail string
		met          bool
	}{
		{"a/one.csv", dir + "/a/one.csv", true},
		{"a", dir + "/a", true},
		{"a/", dir + "/a/", true},
		{"a/three.csv", "no such file", false},
		{"a/one.csv/below", "no such file", false},
		{"none/*", "no such file", false},
		{"a/*.csv", "2 files", true},
		{"a/o?e.csv", dir + "/a/one.csv", true},
		{"a/*/", "2 files", true},
		{"*/one.csv", "2 files", true},
		{"*/*.csv", "3 files", true},
		{"*/none/*", "no such file", false},
		{"[b-z]/one.csv", dir + "/b/one.csv", true},
		{"[x].log", dir + "/[x].log", true},
		{`\[x].log`, dir + "/[x].log", true},
		{"a/*.txt", "no such file", false},
		{"a/.*.txt", dir + "/a/.hidden.txt", true},
	} {
		if runtime.GOOS == "windows" {
			t.Skip("paths are of another form")
		}
		got := check(t, job.KindFile, dir+"/"+c.glob)
		if got.Met != c.met || got.Detail != c.detail || got.Error != "" {
			t.Errorf("%s: %+v", c.glob, got)
		}
	}
	if got := check(t, job.KindFile, dir+"/a[/x"); got.Error == "" {
		t.Errorf("a bad pattern: %+v", got)
	}
	if err := os.Symlink(dir+"/nowhere", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if got := check(t, job.KindFile, dir+"/link"); got.Met {
		t.Errorf("a link to nothing: %+v", got)
	}
}

func TestFileThatComesAndGoes(t *testing.T) {
	path := t.TempDir() + "/in"
	for _, want := range []bool{false, true, false} {
		for _, glob := range []string{path, path + "*"} {
			if got := check(t, job.KindFile, glob); got.Met != want || got.Error != "" {
				t.Errorf("%s: %+v, want %v", glob, got, want)
			}
		}
		if !want {
			write(t, path, "", 0o600)
		} else if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWatch(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("paths are of another form")
	}
	dir := t.TempDir()
	for _, name := range []string{"d1/in", "d2/in", "d2/out", "other", "w[1]", ".d/in"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir+"/dfile", "", 0o600)
	for _, c := range []struct {
		glob string
		want []job.Watch
	}{
		{"/a/b", []job.Watch{{Kind: "PathExists", Path: "/a/b"}}},
		{"none/x", []job.Watch{{Kind: "PathExists", Path: "none/x"}}},
		{"none/*.csv", []job.Watch{{Kind: "PathExistsGlob", Path: "none/*.csv"}}},
		{"d?/ready", []job.Watch{{Kind: "PathChanged", Path: ""}, {Kind: "PathExists", Path: "d1/ready"}, {Kind: "PathExists", Path: "d2/ready"}}},
		{"d*/in/*.csv", []job.Watch{{Kind: "PathChanged", Path: ""}, {Kind: "PathExistsGlob", Path: "d1/in/*.csv"}, {Kind: "PathExistsGlob", Path: "d2/in/*.csv"}}},
		{"d*/*/x", []job.Watch{{Kind: "PathChanged", Path: ""}, {Kind: "PathChanged", Path: "d1"}, {Kind: "PathChanged", Path: "d2"},
			{Kind: "PathExists", Path: "d1/in/x"}, {Kind: "PathExists", Path: "d2/in/x"}, {Kind: "PathExists", Path: "d2/out/x"}}},
		{"[x]", []job.Watch{{Kind: "PathExists", Path: "[x]"}, {Kind: "PathExistsGlob", Path: "[x]"}}},
		{"a[", []job.Watch{{Kind: "PathExists", Path: "a["}}},
		{"w*/*", []job.Watch{{Kind: "PathChanged", Path: ""}, {Kind: "PathChanged", Path: "w[1]"}, {Kind: "PathExistsGlob", Path: `w\[1]/*`}}},
		{"{a,b}*[!c]", []job.Watch{{Kind: "PathExists", Path: "{a,b}*[!c]"}, {Kind: "PathExistsGlob", Path: `\{a,b}*[\!c]`}}},
		{"[[:digit:]]x", []job.Watch{{Kind: "PathExists", Path: "[[:digit:]]x"}, {Kind: "PathExistsGlob", Path: `[\[:digit:]]x`}}},
		{"[^[.a.]]x[!a]", []job.Watch{{Kind: "PathExists", Path: "[^[.a.]]x[!a]"}, {Kind: "PathExistsGlob", Path: `[^\[.a.]]x[\!a]`}}},
	} {
		glob := c.glob
		for i, p := range c.want {
			if !filepath.IsAbs(string(p.Path)) {
				c.want[i].Path = job.Text(filepath.Join(dir, string(p.Path)))
			}
		}
		if !filepath.IsAbs(glob) {
			glob = dir + "/" + glob
		}
		if got := Watch(glob); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %v\nwant %v", c.glob, got, c.want)
		}
	}
}

func TestWatchIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range maxPaths - 1 {
		write(t, fmt.Sprintf("%s/%03d/sub/x", dir, i), "", 0o600)
	}
	if got := Watch(dir + "/*/x"); len(got) != maxPaths || got[0] != (job.Watch{Kind: "PathChanged", Path: job.Text(dir)}) || got[maxPaths-1].Kind != "PathExists" {
		t.Errorf("%d: %v", len(got), got)
	}
	write(t, dir+"/more/sub/x", "", 0o600)
	if got := Watch(dir + "/*/x"); !slices.Equal(got, []job.Watch{{Kind: "PathChanged", Path: job.Text(dir)}}) {
		t.Errorf("%d: %v", len(got), got)
	}
	got := Watch(dir + "/*/*/x")
	if len(got) != maxPaths || got[0] != (job.Watch{Kind: "PathChanged", Path: job.Text(dir)}) || slices.ContainsFunc(got, func(p job.Watch) bool { return p.Kind != "PathChanged" }) {
		t.Errorf("%d: %v", len(got), got)
	}
}
