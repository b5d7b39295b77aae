package settings

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"jobman/test/lab"
)

// Here is the setting that this process runs in: "system", "user" or "fork".
// Empty: it is the one that arranges for all of them, see [Each].
var Here = os.Getenv("JOBMAN_SETTING")

// InLab tells whether it runs in a lab, a system that is thrown away afterwards.
var InLab = os.Getenv("JOBMAN_LAB") != ""

// In a lab, who runs the tests in each setting.
var users = map[string]string{"system": "root", "user": "alice", "fork": "bob"}

// Options of Each.
type Options struct {
	Tags string   // build tags of the jobman that is tested
	Run  string   // of the test's subtests only these, as in -run
	Env  []string // variables for the inner tests
	// Limit is how long it may take in all; default 7 minutes.
	Limit time.Duration
}

// Each runs the test that calls it once more in each setting, as a process of
// its own that finds Here set and the jobman of this tree in its PATH. Where PID 1
// is systemd that is on this machine, as far as this user can; else in a lab,
// where the test's testdata lies in its working directory.
func Each(t *testing.T, o Options) {
	t.Helper()
	if o.Limit == 0 {
		o.Limit = 7 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), o.Limit)
	defer cancel()
	jobman := Build(ctx, t, o.Tags)
	if lab.Booted() {
		here(ctx, t, o, filepath.Dir(jobman))
		return
	}
	inLab(ctx, t, o, jobman)
}

// Build builds jobman as the Makefile does, so that it carries jobman-inner, and
// returns its path.
func Build(ctx context.Context, t *testing.T, tags string) string {
	t.Helper()
	dir := t.TempDir()
	jobman := filepath.Join(dir, "jobman")
	list := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "jobman/cmd/jobman")
	src, err := list.Output()
	if err != nil {
		t.Fatalf("find the source: %v", err)
	}
	build := func(args ...string) {
		cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-tags", tags}, args...)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build jobman: %v\n%s", err, out)
		}
	}
	build("-o", dir, "jobman/cmd/jobman-inner", "jobman/cmd/jobman-net")
	packed := filepath.Join(dir, "carried.gz")
	if err := pack(dir, packed); err != nil {
		t.Fatalf("build jobman: %v", err)
	}
	replace := map[string]string{filepath.Join(strings.TrimSpace(string(src)), "carried.bin"): packed}
	b, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		t.Fatal(err)
	}
	build("-overlay", overlay, "-o", jobman, "jobman/cmd/jobman")
	return jobman
}

// pack compresses what jobman carries, as the Makefile does.
func pack(dir, to string) error {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for _, name := range []string{"inner", "net"} {
		b, err := os.ReadFile(filepath.Join(dir, "jobman-"+name))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s %d\n%s", name, len(b), b); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), os.WriteFile(to, packed.Bytes(), 0o600))
}

// NeedLab skips a test that needs a lab of its own where there can't be one.
func NeedLab(t *testing.T) {
	t.Helper()
	if lab.Booted() {
		t.Skip("this would shake the machine's own systemd")
	}
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("in CI there must be a systemd, and a lab needs root")
		}
		t.Skip("PID 1 is not systemd, and a lab needs root")
	}
}

// Lab boots a lab for a test, which is skipped where there can't be one.
func Lab(ctx context.Context, t *testing.T) *lab.Lab {
	t.Helper()
	NeedLab(t)
	l, err := lab.Boot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Packages sees to it that Debian packages are there, each with a file that shows that
// it is. The test is skipped where they can't be, but not in CI.
func Packages(ctx context.Context, t *testing.T, packages map[string]string) {
	t.Helper()
	err := lab.Install(ctx, packages)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// Number reads a variable that says how much a test is to do.
func Number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	if os.Getenv(name) == "" {
		return otherwise
	}
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// here runs the settings that this user can on a machine that runs systemd.
func here(ctx context.Context, t *testing.T, o Options, dir string) {
	settings := []string{"user", "fork"}
	if os.Geteuid() == 0 {
		settings = []string{"system", "fork"}
	}
	for _, s := range settings {
		t.Run(s, func(t *testing.T) {
			cmd := exec.CommandContext(ctx, os.Args[0], o.inner(t)...)
			cmd.Env = append(append(os.Environ(), "JOBMAN_SETTING="+s, "PATH="+dir+":"+os.Getenv("PATH")), o.Env...)
			report(t, cmd)
		})
	}
}

// inLab runs all settings in one lab, one after another.
func inLab(ctx context.Context, t *testing.T, o Options, jobman string) {
	l := Lab(ctx, t)
	for file, name := range map[string]string{jobman: "jobman", os.Args[0]: "jobman-test"} {
		if err := l.Install(ctx, file, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := bring(ctx, l, "testdata"); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"system", "user", "fork"} {
		if only := os.Getenv("SETTING"); only != "" && s != only {
			continue
		}
		t.Run(s, func(t *testing.T) {
			run := append([]string{"sh", "-c", `cd ` + workDir + ` && exec "$@"`, "test", "/usr/local/bin/jobman-test"}, o.inner(t)...)
			report(t, l.Command(ctx, users[s], append([]string{"JOBMAN_SETTING=" + s, "JOBMAN_LAB=1"}, o.Env...), run...))
		})
	}
}

// workDir is the working directory of the inner tests in a lab.
const workDir = "/usr/local/share/jobman-test"

// bring copies a directory, if it is there, into the inner tests' working
// directory.
func bring(ctx context.Context, l *lab.Lab, dir string) error {
	tarball := []byte{}
	if _, err := os.Stat(dir); err == nil {
		if tarball, err = exec.CommandContext(ctx, "tar", "-c", dir).Output(); err != nil {
			return fmt.Errorf("pack %s: %w", dir, err)
		}
	}
	unpack := l.Command(ctx, "root", nil, "sh", "-c", "mkdir -p $0 && cd $0 && { test $1 = 0 || tar -x --no-same-owner; } && chmod -R a+rX .",
		workDir, fmt.Sprint(len(tarball)))
	unpack.Stdin = strings.NewReader(string(tarball))
	if out, err := unpack.CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w\n%s", dir, err, out)
	}
	return nil
}

// inner are the arguments of this test binary within a setting.
func (o Options) inner(t *testing.T) []string {
	outer, _, _ := strings.Cut(t.Name(), "/")
	run := "^" + outer + "$"
	if o.Run != "" {
		run += "/^(" + o.Run + ")$"
	}
	// They mostly wait, for each other's processes.
	return []string{"-test.run=" + run, "-test.v", "-test.parallel=8", fmt.Sprintf("-test.timeout=%s", o.Limit)}
}

var result = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): [^/\s]+/(\S+)`)

// report runs the test in a setting and reports its subtests as such.
func report(t *testing.T, cmd *exec.Cmd) {
	out, err := cmd.CombinedOutput()
	found := result.FindAllStringSubmatch(string(out), -1)
	failed := false
	for _, m := range found {
		t.Run(m[2], func(t *testing.T) {
			switch m[1] {
			case "FAIL":
				failed = true
				t.Fail()
			case "SKIP":
				t.Skip("not in this setting")
			}
		})
	}
	if err != nil || failed || len(found) == 0 {
		t.Fatalf("%v; %d subtests\n%s", err, len(found), out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}
