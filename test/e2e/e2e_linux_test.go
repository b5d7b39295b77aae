package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"jobman/test/settings"
)

func TestScripts(t *testing.T) {
	if settings.Here == "" {
		settings.Each(t, settings.Options{Run: os.Getenv("SCRIPT")})
		return
	}
	scripts(t)
}

// scripts runs the scripts in this setting.
func scripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setup,
		Condition:           condition,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "eventually": eventually, "json": jsonEqual, "jsonset": jsonSet, "serve": serve, "hook": hook, "mailserver": mailserver, "instances": instances, "schema": schema,
		},
	})
}

// setup gives each script a home, and so a store, of its own.
func setup(env *testscript.Env) error {
	env.Vars = []string{
		"WORK=" + env.WorkDir, "HOME=" + env.WorkDir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8",
		"TMPDIR=" + filepath.Join(env.WorkDir, ".tmp"), "SECRET_VARIABLE=secret", "/=/", ":=:", "$=$",
	}
	if settings.Here == "fork" {
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
		return settings.Here == name, nil
	case "systemd":
		return settings.Here != "fork", nil
	case "lab": // a throw-away system, in which anything may be installed
		return settings.InLab, nil
	case "root":
		return os.Geteuid() == 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}
