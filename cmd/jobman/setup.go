package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"jobman/house"
	"jobman/store/tree"
)

type setupCmd struct {
	Undo bool `help:"Take back what setup has changed."`
}

// Help implements kong's hook for the text below the summary.
func (*setupCmd) Help() string {
	return `Jobs that wait, or are between two runs, go on at boot by themselves, and what a
reboot ended is dealt with (--on-reboot). A user's jobs then also outlive logout.
Without it they go on with the next jobman command after the boot. Where there is no
systemd it is an entry of the user's crontab, or on macOS a LaunchAgent, or on Windows
a scheduled task.

Examples:
  jobman setup
  jobman setup --undo`
}

// changed is what setup has changed, as it is noted in the store for --undo.
type changed struct {
	Unit   string `json:"unit,omitempty"`   // the file of jobman-recover.service
	Linger bool   `json:"linger,omitempty"` // it was off before
}

const (
	recoverUnit = "jobman-recover.service"
	setupFile   = "setup"
)

// Run makes jobs survive logout and reboot.
func (s *setupCmd) Run(a *app) error {
	if err := a.openAside(); err != nil {
		return err
	}
	if err := a.tree.Create(); err != nil {
		return storeProblem(fmt.Errorf("create the store: %w", err))
	}
	if found := house.FindSystemd(a.scope); !found.Booted || a.BackendKind == "fork" {
		return a.setupBoot(s.Undo)
	}
	was, err := a.setUp()
	if err != nil {
		return err
	}
	if s.Undo {
		return a.undo(was)
	}
	return a.setup(was)
}

// setUp is what was set up before.
func (a *app) setUp() (c changed, err error) {
	b, err := os.ReadFile(filepath.Join(string(a.tree), setupFile))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c, storeProblem(err)
}

func (a *app) setup(before changed) error {
	c := before
	if a.scope == "user" {
		lingers, err := house.Lingers()
		if err != nil {
			return err
		}
		if !lingers {
			if err := house.StartManager(a.ctx); err != nil {
				return (&problem{kind: "failed", text: "turn lingering on: " + err.Error()}).try("sudo loginctl enable-linger $USER")
			}
			c.Linger = true
			a.tell("turned lingering on: jobs outlive logout, and your systemd starts at boot")
		}
	}
	file, err := a.recoverFile()
	if err != nil {
		return err
	}
	text, err := a.recoverText()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.Unit = file
	if string(old) == text && c == before {
		a.tell("everything was set up already")
		return nil
	}
	note, err := json.Marshal(c)
	if err == nil {
		err = tree.WriteFile(filepath.Join(string(a.tree), setupFile), append(note, '\n'))
	}
	if err != nil {
		return storeProblem(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	for _, args := range [][]string{{"daemon-reload"}, {"enable", "--quiet", recoverUnit}} {
		if err := a.systemctl(args...); err != nil {
			return err
		}
	}
	a.tell("enabled %s: jobs go on at boot", file)
	return nil
}

func (a *app) undo(c changed) error {
	if c == (changed{}) {
		a.tell("nothing was set up")
		return nil
	}
	if c.Unit != "" {
		if err := a.systemctl("disable", "--quiet", recoverUnit); err != nil {
			return err
		}
		if err := os.Remove(c.Unit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := a.systemctl("daemon-reload"); err != nil {
			return err
		}
		a.tell("removed %s: jobs go on with the next jobman command after a boot", c.Unit)
	}
	if err := os.Remove(filepath.Join(string(a.tree), setupFile)); err != nil {
		return storeProblem(err)
	}
	if c.Linger {
		if err := house.SetLinger(a.ctx, false); err != nil {
			return fmt.Errorf("turn lingering off: %w", err)
		}
		a.tell("turned lingering off: jobs end at logout")
	}
	return nil
}

// tell says what was done.
func (a *app) tell(format string, args ...any) {
	text := printable(fmt.Sprintf(format, args...))
	switch {
	case a.JSON:
		_ = a.printJSON(map[string]string{"message": text}) // run tells it
	case !a.Quiet:
		fmt.Fprintln(a.stdout, text)
	}
}

// recoverFile is where the boot unit of the scope belongs.
func (a *app) recoverFile() (string, error) {
	if a.scope == "system" {
		return "/etc/systemd/system/" + recoverUnit, nil
	}
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home, err := homeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "systemd", "user", recoverUnit), nil
}

func (a *app) recoverText() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	target := "default.target"
	if a.scope == "system" {
		target = "multi-user.target"
	}
	return fmt.Sprintf(`# Written by jobman setup; jobman setup --undo removes it.
[Unit]
Description=jobman goes on with jobs after a boot
Documentation=man:jobman(1)
RequiresMountsFor=%[1]s
ConditionPathExists=%[1]s/data/version

[Service]
Type=oneshot
ExecStart=%s reconcile %s

[Install]
WantedBy=%s
`, strings.ReplaceAll(string(a.tree), "%", "%%"), unitWord(exe), unitWord(string(a.tree)), target), nil
}

// unitWord quotes a word of a command line in a unit file, see systemd.service(5).
func unitWord(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(s)
	return `"` + s + `"`
}

// systemctl calls systemctl(1) of the scope.
func (a *app) systemctl(args ...string) error {
	out, err := a.systemctlCommand(a.ctx, "--"+a.scope, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// systemctlCommand is a call of systemctl(1), which finds the user's manager also
// where no login has said where it is.
func (a *app) systemctlCommand(ctx context.Context, scope string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "systemctl", append([]string{scope}, args...)...)
	if os.Getenv("XDG_RUNTIME_DIR") == "" {
		cmd.Env = append(os.Environ(), fmt.Sprintf("XDG_RUNTIME_DIR=/run/user/%d", os.Geteuid()))
	}
	return cmd
}
