package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"jobman/test/lab"
)

// setting names the setting that this process runs the scripts in; empty: it
// arranges for all of them.
var setting = os.Getenv("JOBMAN_E2E")

// In a lab, who runs the scripts in each setting.
var users = map[string]string{"system": "root", "user": "alice", "fork": "bob"}

func TestScripts(t *testing.T) {
	if setting != "" {
		scripts(t)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 7*time.Minute)
	defer cancel()
	dir := t.TempDir()
	jobman := filepath.Join(dir, "jobman")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", jobman, "../../cmd/jobman")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build jobman: %v\n%s", err, out)
	}
	if lab.Booted() {
		here(ctx, t, dir)
		return
	}
	inLab(ctx, t, jobman)
}

// here runs the settings that this user can on a machine that runs systemd.
func here(ctx context.Context, t *testing.T, dir string) {
	settings := []string{"user", "fork"}
	if os.Geteuid() == 0 {
		settings = []string{"system", "fork"}
	}
	for _, s := range settings {
		t.Run(s, func(t *testing.T) {
			cmd := exec.CommandContext(ctx, os.Args[0], inner()...)
			cmd.Env = append(os.Environ(), "JOBMAN_E2E="+s, "PATH="+dir+":"+os.Getenv("PATH"))
			report(t, cmd)
		})
	}
}

// inLab runs all settings in one lab, one after another.
func inLab(ctx context.Context, t *testing.T, jobman string) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("in CI there must be a systemd, and a lab needs root")
		}
		t.Skip("PID 1 is not systemd, and a lab needs root")
	}
	l, err := lab.Boot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	for file, name := range map[string]string{jobman: "jobman", os.Args[0]: "jobman-e2e"} {
		if err := l.Install(ctx, file, name); err != nil {
			t.Fatal(err)
		}
	}
	scripts, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	copied := exec.CommandContext(ctx, "tar", "-C", scripts, "-c", ".")
	tarball, err := copied.Output()
	if err != nil {
		t.Fatal(err)
	}
	unpack := l.Command(ctx, "root", nil, "sh", "-c", "mkdir -p /usr/local/share/e2e/testdata && tar -C /usr/local/share/e2e/testdata -x --no-same-owner && chmod -R a+rX /usr/local/share/e2e")
	unpack.Stdin = strings.NewReader(string(tarball))
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("copy the scripts: %v\n%s", err, out)
	}
	for _, s := range []string{"system", "user", "fork"} {
		t.Run(s, func(t *testing.T) {
			// The user's own systemd, if there is one, is for the scripts to find.
			run := append([]string{"sh", "-c", `cd /usr/local/share/e2e && exec "$@"`, "e2e", "/usr/local/bin/jobman-e2e"}, inner()...)
			report(t, l.Command(ctx, users[s], []string{"JOBMAN_E2E=" + s}, run...))
		})
	}
}

// inner are the arguments of this test binary within a setting.
func inner() []string {
	args := []string{"-test.run=^TestScripts$", "-test.v", "-test.timeout=6m"}
	if only := os.Getenv("SCRIPT"); only != "" {
		args[0] = "-test.run=^TestScripts$/^" + only + "$"
	}
	return args
}

var result = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): TestScripts/(\S+)`)

// report runs the scripts of a setting and reports each as a test of its own.
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
		t.Fatalf("%v; %d scripts\n%s", err, len(found), out)
	}
}

// scripts runs the scripts in this setting.
func scripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setup,
		Condition:           condition,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "eventually": eventually, "json": jsonEqual, "jsonset": jsonSet,
		},
	})
}

// setup gives each script a home, and so a store, of its own.
func setup(env *testscript.Env) error {
	env.Vars = []string{
		"WORK=" + env.WorkDir, "HOME=" + env.WorkDir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8",
		"TMPDIR=" + filepath.Join(env.WorkDir, ".tmp"), "SECRET_VARIABLE=secret", "/=/", ":=:", "$=$",
	}
	if setting == "fork" {
		env.Setenv("JOBMAN_BACKEND", "fork")
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		env.Setenv("XDG_RUNTIME_DIR", dir)
	}
	env.Defer(func() { cleanup(env) })
	return nil
}

// cleanup leaves no job of the script behind, also when it failed.
func cleanup(env *testscript.Env) {
	cmd := exec.Command("jobman", "kill", "--all", "--now", "-q")
	cmd.Env = env.Vars
	if out, err := cmd.CombinedOutput(); err != nil {
		env.T().Log(fmt.Sprintf("clean up: %v\n%s", err, out))
	}
}

func condition(name string) (bool, error) {
	switch name {
	case "system", "user", "fork":
		return setting == name, nil
	case "systemd":
		return setting != "fork", nil
	case "root":
		return os.Geteuid() == 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}
