//go:build wine

// Package wine runs jobman for Windows, for real, under wine on Linux.
package wine

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobman/test/settings"
)

// packages are what it takes, each with a file that shows that it is there.
var packages = map[string]string{"wine64": "/usr/lib/wine/wine64", "gcc-mingw-w64-x86-64-posix": "/usr/bin/x86_64-w64-mingw32-gcc-posix"}

// prng is what Go's runtime wants of Windows and wine 8 lacks.
const prng = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T n) { return SystemFunction036(data, (ULONG)n); }
`

// patience is how long a command, or what is waited for, may take.
const patience = time.Minute

// machine is a Windows with a user.
type machine struct {
	*testing.T
	dir, prefix    string // here
	jobman, helper string // there
	env            []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	settings.Packages(ctx, t, packages)
	m := &machine{T: t, dir: filepath.Join(t.TempDir(), "a dir"), prefix: t.TempDir()}
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	m.env = append(os.Environ(), "WINEPREFIX="+m.prefix, "WINEDEBUG=-all", "DISPLAY=", "WINEARCH=win64")
	m.jobman, m.helper = m.build("jobman"), m.build("helper")
	m.here(ctx, "", "/usr/lib/wine/wine64", "wineboot", "-i")
	t.Cleanup(func() { m.here(context.Background(), "", "/usr/lib/wine/wineserver", "-k", "-w") })
	source := filepath.Join(m.prefix, "prng.c")
	if err := os.WriteFile(source, []byte(prng), 0o600); err != nil {
		t.Fatal(err)
	}
	m.here(ctx, "", packages["gcc-mingw-w64-x86-64-posix"], "-shared", "-o", filepath.Join(m.prefix, "drive_c/windows/system32/bcryptprimitives.dll"), source, "-ladvapi32")
	return m
}

// build builds a program for Windows, and returns where it is there.
func (m *machine) build(name string) string {
	m.Helper()
	path := map[string]string{"jobman": "jobman/cmd/jobman", "helper": "jobman/test/wine/helper"}[name]
	cmd := exec.Command("go", "build", "-o", filepath.Join(m.dir, name+".exe"), path)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.Fatalf("build %s: %v\n%s", path, err, out)
	}
	return m.there(name + ".exe")
}

// there is how a file of the directory is called on Windows.
func (m *machine) there(name string) string {
	return "Z:" + strings.ReplaceAll(filepath.Join(m.dir, name), "/", `\`)
}

// here runs a command of this system that must succeed.
func (m *machine) here(ctx context.Context, dir string, argv ...string) {
	m.Helper()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, m.env
	if out, _, err := m.output(cmd); err != nil {
		m.Fatalf("%q: %v\n%s", argv, err, out)
	}
}

// output runs a command and returns what it printed. That is kept in files: what stays in
// the background holds it open.
func (m *machine) output(cmd *exec.Cmd) (stdout, stderr string, err error) {
	m.Helper()
	var files [2]*os.File
	for i := range files {
		f, err := os.CreateTemp(m.TempDir(), "")
		if err != nil {
			m.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	cmd.Stdout, cmd.Stderr = files[0], files[1]
	err = cmd.Run()
	var texts [2]string
	for i, f := range files {
		b, rerr := os.ReadFile(f.Name())
		if rerr != nil {
			m.Fatal(rerr)
		}
		texts[i] = string(b)
	}
	return texts[0], texts[1], err
}

// try runs a jobman command, and returns what it printed, what it said, and its code.
func (m *machine) try(args ...string) (stdout, stderr string, code int) {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, packages["wine64"], append([]string{filepath.Join(m.dir, "jobman.exe")}, args...)...)
	cmd.Dir, cmd.Env = m.dir, m.env
	stdout, stderr, err := m.output(cmd)
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		m.Fatalf("jobman %q: %v\n%s", args, err, stderr)
	}
	return stdout, stderr, cmd.ProcessState.ExitCode()
}

// want runs a jobman command that must end with a code.
func (m *machine) want(code int, args ...string) string {
	m.Helper()
	stdout, stderr, got := m.try(args...)
	if got != code {
		m.Fatalf("jobman %q: code %d, not %d\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout
}

func (m *machine) run(args ...string) {
	m.Helper()
	m.want(0, append([]string{"run", "-q"}, args...)...)
}

func (m *machine) eventually(what string, met func() bool) {
	m.Helper()
	for until := time.Now().Add(patience); !met(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			m.Fatalf("it does not come that %s", what)
		}
	}
}

// home is the user's home directory, here.
func (m *machine) home() string {
	m.Helper()
	stores, err := filepath.Glob(filepath.Join(m.prefix, "drive_c/users/*/.jobman"))
	if err != nil || len(stores) != 1 {
		m.Fatalf("%q have a store: %v", stores, err)
	}
	return filepath.Dir(stores[0])
}

func (m *machine) exists(name string) bool {
	_, err := os.Stat(filepath.Join(m.dir, name))
	return err == nil
}

func (m *machine) write(name, text string) {
	m.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
}

// still tells whether a file that something keeps writing is not written any more.
func (m *machine) still(name string) bool {
	m.Helper()
	read := func() string {
		b, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil {
			m.Fatal(err)
		}
		return string(b)
	}
	before := read()
	time.Sleep(200 * time.Millisecond) // ten times its pause
	return before == read()
}

func TestWindows(t *testing.T) {
	m := newMachine(t)
	on := func(name string, do func(m *machine)) {
		t.Run(name, func(t *testing.T) {
			one := *m
			one.T = t
			do(&one)
		})
	}
	on("the main job", func(m *machine) {
		if out, said, code := m.try("-v", "run", "--name", "main", "--", m.helper, "say", "one", `C:\a "quoted" \`, "open"); code != 0 || !strings.Contains(said, "backend fork: this is no Linux") {
			m.Fatalf("code %d\n%s%s", code, out, said)
		}
		m.want(0, "wait", "-q", "main")
		if got := m.want(0, "logs", "--raw", "main"); got != "one\r\n"+`C:\a "quoted" \`+"\r\nopen" {
			m.Errorf("it printed %q", got)
		}
		if got := m.want(0, "list", "--all"); !strings.Contains(got, "main") || !strings.Contains(got, "success") {
			m.Error(got)
		}
		if got := m.want(0, "show", "main", "--json"); !strings.Contains(got, `"backend":"fork"`) || !strings.Contains(got, `"exit_code":0`) {
			m.Error(got)
		}
	})
	on("variables, a directory and codes", func(m *machine) {
		m.run("--name", "variable", "--env", "GREETING=hi there", "--", m.helper, "variable", "GREETING")
		m.want(0, "wait", "-q", "variable")
		if got := m.want(0, "logs", "--raw", "variable"); got != "hi there" {
			m.Errorf("the variable is %q", got)
		}
		m.run("--name", "id", "--", m.helper, "variable", "JOBMAN_JOB_NAME")
		m.want(0, "wait", "-q", "id")
		if got := m.want(0, "logs", "--raw", "id"); got != "id" {
			m.Errorf("the name is %q", got)
		}
		m.run("--name", "directory", "--", m.helper, "directory")
		m.want(0, "wait", "-q", "directory")
		if got := m.want(0, "logs", "--raw", "directory"); got != m.there("") && got != strings.TrimSuffix(m.there(""), `\`) {
			m.Errorf("the directory is %q", got)
		}
		m.run("--name", "seven", "--", m.helper, "exit", "7")
		m.want(7, "wait", "-q", "seven")
		m.run("--name", "large", "--", m.helper, "exit", "3221225477")
		m.eventually("it ends", func() bool { return strings.Contains(m.want(0, "show", "large", "--json"), `"exit_code":3221225477`) })
		if _, said, code := m.try("run", m.there("missing.exe")); code == 0 || !strings.Contains(said, "missing.exe") {
			m.Errorf("code %d: %s", code, said)
		}
	})
	on("retries", func(m *machine) {
		m.run("--name", "retried", "--retry", "2", "--retries.delay", "100ms", "--", m.helper, "exit", "3")
		m.want(3, "wait", "-q", "retried")
		if got := m.want(0, "show", "retried", "--json"); !strings.Contains(got, `"run_count":3`) {
			m.Error(got)
		}
	})
	on("waits for a time and a file", func(m *machine) {
		m.run("--name", "time", "--wait.timedelta", "1s", "--", m.helper, "exit", "0")
		m.run("--name", "file", "--wait.file", "come *", "--", m.helper, "exit", "4")
		if got := m.want(0, "list"); !strings.Contains(got, "waiting") {
			m.Error(got)
		}
		m.want(0, "wait", "-q", "time")
		m.write("come here", "")
		m.want(4, "wait", "-q", "file")
		m.run("--name", "after", "--wait.job", "time", "--", m.helper, "exit", "0")
		m.want(0, "wait", "-q", "after")
	})
	on("a kill of the whole tree", func(m *machine) {
		m.run("--name", "tree", "--stop-grace", "1s", "--", m.helper, "stubborn", m.there("ticks"))
		m.eventually("its child runs", func() bool { return m.exists("ticks") })
		m.want(0, "kill", "-q", "tree")
		m.want(137, "wait", "-q", "tree")
		if !m.still("ticks") {
			m.Error("its child lives")
		}
	})
	on("time limits", func(m *machine) {
		m.run("--name", "limit", "--timeout.run", "500ms", "--stop-grace", "0s", "--", m.helper, "stubborn", m.there("limited"))
		m.eventually("it ends", func() bool { return strings.Contains(m.want(0, "show", "limit", "--json"), `"reason":"timeout"`) })
		if m.exists("limited") && !m.still("limited") {
			m.Error("its child lives")
		}
	})
	on("a job that a job submits", func(m *machine) {
		m.run("--name", "outer", "--", m.helper, "nest", m.jobman, "run", "-q", "--name", "inner", "--", m.helper, "until", m.there("go"))
		m.want(0, "wait", "-q", "outer")
		if got := m.want(0, "show", "inner", "--json"); !strings.Contains(got, `"status":"running"`) {
			m.Error(got)
		}
		m.write("go", "")
		m.want(0, "wait", "-q", "inner")
	})
	on("configuration", func(m *machine) {
		if err := os.WriteFile(filepath.Join(m.home(), ".jobman.toml"), []byte("[run]\r\nname = 'configured'\r\n"), 0o600); err != nil {
			m.Fatal(err)
		}
		m.want(0, "run", "-q", "--", m.helper, "exit", "0")
		m.want(0, "wait", "-q", "configured")
	})
	on("callbacks", func(m *machine) {
		m.run("--name", "tells", "--notify", "script:"+m.helper, "--", m.helper, "exit", "0")
		m.want(0, "wait", "-q", "tells")
		m.eventually("it is tried", func() bool { return strings.Contains(m.want(0, "show", "tells", "--json"), `"tries":`) })
	})
}
