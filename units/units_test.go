package units

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobman/job"
)

var update = flag.Bool("update", false, "write the golden files anew")

const id = job.ID("3f2a91c4-0000-4000-8000-00000000000a")

func text(main Unit, aux []Unit) string {
	var b strings.Builder
	for _, u := range append([]Unit{main}, aux...) {
		fmt.Fprintf(&b, "[%s]\n", u.Name)
		for _, p := range u.Properties {
			fmt.Fprintf(&b, "%s = %T %+v\n", p.Name, p.Value, p.Value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", file, got)
	}
}

func run() Run {
	return Run{
		Ref: job.Ref{ID: id, Run: 3}, Dir: "/home/a $b/.jobman/.db/data/jobs/3f/x/runs/3",
		Exe: "/home/a $b/bin/jobman", Step: "jobman-step-0123.service",
		Spec: &job.Spec{Name: "nightly", Group: "a-b", StopSignal: "INT", StopGrace: 90e9},
	}
}

func TestUnitsOfARun(t *testing.T) {
	r := run()
	golden(t, "silenced", text(r.Units()))
	r.FIFOs = FIFOsIn("/run", r.Ref)
	golden(t, "run", text(r.Units()))
	r.Sink = job.SinkBoth
	golden(t, "both", text(r.Units()))
	r.Sink, r.FIFOs = job.SinkJournal, ""
	golden(t, "journal", text(r.Units()))
	r = run()
	r.FIFOs = FIFOsIn("/run", r.Ref)
	r.Limit, r.Late = time.Hour, Steps{Store: "/home/a/.jobman/.db", Exe: "/usr/bin/jobman"}.Late(r.Ref, time.Hour+time.Second)
	golden(t, "limited", text(r.Units()))
}

func TestUnitsThatStep(t *testing.T) {
	s := Steps{Store: "/home/a/.jobman/.db", Exe: "/usr/bin/jobman", Inbox: "/home/a/.jobman/.db/inbox", Version: 252}
	golden(t, "step", text(s.Watch()))
	golden(t, "net", text(s.Net()))
	golden(t, "later", text(s.Later(id, 7, 1500*time.Millisecond)))
	at := time.Date(2026, 11, 23, 8, 39, 55, 43764000, time.UTC)
	golden(t, "wake", text(s.Wake(at, time.Hour)))
	golden(t, "own", text(s.Own(id, 3, at, 0)))
	golden(t, "watcher", text(s.Watcher()))
	golden(t, "deliverer", text(s.Deliverer()))
	golden(t, "deliver-at", text(s.DeliverAt(at.Truncate(time.Second), time.Hour)))
	golden(t, "callback", text(Callback(string(id)+".1.retry.0123abcd", 4711, time.Minute), nil))
	golden(t, "files", text(s.Files(id, job.Armed{Rev: 4, Watches: []job.Watch{{Kind: "PathExistsGlob", Path: "/in/*.csv"}, {Kind: "PathChanged", Path: "/in"}}})))
	s.Version = 249
	main, _ := s.Watch()
	for _, p := range main.Properties {
		if p.Name == "TriggerLimitIntervalUSec" {
			t.Error("systemd 249 refuses TriggerLimitIntervalUSec= of a path unit")
		}
	}
}

func TestNamesOfTriggersAreReadBack(t *testing.T) {
	for name, want := range map[string]int{OwnName(id, 12) + ".timer": 12, FilesName(id, job.Armed{Rev: 7, Watches: make([]job.Watch, 3)}) + ".path": 7} {
		if got, rev, ok := ParseOwn(name); got != id || rev != want || !ok {
			t.Errorf("%s: %s %d %t", name, got, rev, ok)
		}
	}
	for _, name := range []string{RunName(job.Ref{ID: id, Run: 1}), "jobman-wake-0123-5.timer", "jobman-" + string(id) + "-t7.timer", "jobman-" + string(id) + "-wx.timer"} {
		if _, _, ok := ParseOwn(name); ok {
			t.Errorf("%s is taken for a waiting job's", name)
		}
	}
}

func TestHowManyPathsAUnitWatchesIsInItsName(t *testing.T) {
	name := FilesName(id, job.Armed{Rev: 7, Watches: make([]job.Watch, 3)})
	if got, paths, ok := ParseFiles(name + ".path"); got != id || paths != 3 || !ok {
		t.Errorf("%s.path: %s %d %t", name, got, paths, ok)
	}
	for _, other := range []string{name + ".service", OwnName(id, 7) + ".path", OwnName(id, 7) + ".timer", "jobman-x.path"} {
		if got, paths, ok := ParseFiles(other); ok {
			t.Errorf("%s: %s %d", other, got, paths)
		}
	}
}

// What is said to systemd any local user can read.
func TestNothingOfTheCommandIsSaidToSystemd(t *testing.T) {
	r := run()
	r.Spec.Command = job.Texts([]string{"mysql", "-psecret"})
	r.Spec.Name = job.DefaultName(r.Spec.Command)
	r.FIFOs = FIFOsIn("/run", r.Ref)
	if got := text(r.Units()); strings.Contains(got, "secret") || strings.Contains(got, "mysql") {
		t.Errorf("the command is shown:\n%s", got)
	}
}

func TestSlices(t *testing.T) {
	for group, want := range map[string]string{
		"":       "jobman.slice",
		"etl":    "jobman-etl.slice",
		"a-b":    `jobman-a\x2db.slice`,
		"-":      `jobman-\x2d.slice`,
		"a--b/c": `jobman-a\x2d\x2db\x2fc.slice`,
		"a b%":   `jobman-a\x20b\x25.slice`,
		".x":     `jobman-\x2ex.slice`,
		"ü":      `jobman-\xc3\xbc.slice`,
	} {
		if got := SliceName(group); got != want {
			t.Errorf("SliceName(%q) = %q, want %q", group, got, want)
		}
	}
	seen := map[string]string{}
	for _, group := range []string{strings.Repeat("🎉", 200), strings.Repeat("🎉", 199) + "x", strings.Repeat("a", 200), strings.Repeat("a", 199) + "-"} {
		name := SliceName(group)
		if len(name) > 255 || seen[name] != "" {
			t.Errorf("SliceName(%q) = %q (%d bytes), also that of %q", group, name, len(name), seen[name])
		}
		seen[name] = group
		if cut := strings.LastIndexByte(name, '\\'); cut >= 0 && cut+4 > len(strings.TrimSuffix(name, ".slice")) {
			t.Errorf("%q ends within an escape", name)
		}
	}
}

func TestNamesOfRunsReadBack(t *testing.T) {
	ref := job.Ref{ID: id, Run: 12}
	if got, ok := ParseRun(RunName(ref)); !ok || got != ref {
		t.Errorf("ParseRun(%q) = %v, %v", RunName(ref), got, ok)
	}
	for _, other := range []string{pumpName(ref) + ".service", "jobman-x-1.service", "jobman-" + string(id) + "-0.service", "jobman-" + string(id) + "-t5.service"} {
		if got, ok := ParseRun(other); ok {
			t.Errorf("ParseRun(%q) = %v", other, got)
		}
	}
}
