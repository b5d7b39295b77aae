package shells

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobman/test/settings"
)

var packages = map[string]string{
	"bash-completion": "/usr/share/bash-completion/bash_completion", "zsh": "/usr/bin/zsh", "fish": "/usr/bin/fish",
}

// Each shell starts with the completion, one of a command's own, and a key that
// prints the line: ^Xp, in << and >>.
var shells = map[string]struct {
	argv []string
	rc   string // in RC
}{
	"bash": {[]string{"bash", "--noprofile", "--rcfile", "RC", "-i"}, `
PS1='[ready]'
bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous off'
. /usr/share/bash-completion/bash_completion
source <(jobman completion bash)
complete -W 'alphabet' xyzzy-command
bind -x '"\C-xp": printf "\n<<%s>>\n" "$READLINE_LINE"'
`},
	"bash without bash-completion": {[]string{"bash", "--noprofile", "--rcfile", "RC", "-i"}, `
PS1='[ready]'
bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous off'
source <(jobman completion bash)
bind -x '"\C-xp": printf "\n<<%s>>\n" "$READLINE_LINE"'
`},
	"zsh": {[]string{"zsh", "-f", "-i"}, `
autoload -Uz compinit; compinit -u -D
source <(jobman completion zsh)
_xyzzy() { compadd alphabet }; compdef _xyzzy xyzzy-command
show() { print -r -- "<<$BUFFER>>" }; zle -N show; bindkey -e; bindkey '^Xp' show
unsetopt beep; PS1='[rea''dy]'
`},
	"fish": {[]string{"fish", "--no-config", "-i", "-C", "source RC"}, `
set -g fish_greeting
function fish_prompt; printf '[ready]'; end
set -g fish_autosuggestion_enabled 0
jobman completion fish | source
complete -c xyzzy-command -f -a alphabet
bind \cxp 'printf "\n<<%s>>\n" (commandline | string collect)'
`},
}

func TestShellsComplete(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	settings.Packages(ctx, t, packages)
	bin := filepath.Dir(settings.Build(ctx, t, ""))
	if err := os.WriteFile(filepath.Join(bin, "xyzzy-command"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	env := []string{"HOME=" + home, "PATH=" + bin + ":/usr/bin:/bin", "LANG=C.UTF-8", "TERM=xterm", "JOBMAN_BACKEND=fork"}
	id := fill(t, bin, home, env)
	for name, shell := range shells {
		t.Run(name, func(t *testing.T) {
			rc := filepath.Join(t.TempDir(), "rc")
			if err := os.WriteFile(rc, []byte(shell.rc), 0o600); err != nil {
				t.Fatal(err)
			}
			var argv []string
			for _, a := range shell.argv {
				argv = append(argv, strings.Replace(a, "RC", rc, 1))
			}
			s := start(t, env, argv...)
			if name == "zsh" { // it has no option for that
				s.press("source " + rc + "\r")
			}
			s.await(regexp.MustCompile(`(\[ready\])`))
			for _, c := range cases(id, home) {
				want := c.want
				if other, ok := c.but[name]; ok {
					want = other
				}
				if got := s.complete(c.typed); got != want {
					t.Errorf("%s<TAB>\n got %q\nwant %q", c.typed, got, want)
				}
			}
			if name == "zsh" || name == "fish" { // they tell what candidates are
				s.press("\x15jobman show " + id[:2] + "\x08\x08\t")
				s.await(regexp.MustCompile(`(nightly\\? build\W[^\n]*success, [0-9a-f]{8})`))
			}
		})
	}
}

type line struct {
	typed, want string
	but         map[string]string // what a shell makes of it instead
}

func cases(id, home string) []line {
	return []line{
		{"jobman doct", "jobman doctor ", nil},
		{"jobman xyzzy-c", "jobman xyzzy-command ", nil},
		{"jobman -v xyzzy-command alph", "jobman -v xyzzy-command alphabet ",
			map[string]string{"bash without bash-completion": "jobman -v xyzzy-command alph"}},
		{"jobman run --name x -- xyzzy-command alph", "jobman run --name x -- xyzzy-command alphabet ",
			map[string]string{"bash without bash-completion": "jobman run --name x -- xyzzy-command alph"}},
		{"jobman cat " + home + "/a-f", "jobman cat " + home + "/a-file ", nil},
		{"jobman run --wait.file " + home + "/a-f", "jobman run --wait.file " + home + "/a-file ", nil},
		{"jobman run --wait.file=" + home + "/a-f", "jobman run --wait.file=" + home + "/a-file ", nil},
		{"jobman run --chdir " + home + "/a-d", "jobman run --chdir " + home + "/a-dir/", nil},
		{"jobman list --stat", "jobman list --status ", nil},
		{"jobman list --status pend", "jobman list --status pending ", nil},
		{"jobman list --status=pend", "jobman list --status=pending ", nil},
		{"jobman run -uniq", "jobman run -unique ", nil},
		{"jobman --backend sys", "jobman --backend systemd ", nil},
		{"jobman run -p MemoryMa", "jobman run -p MemoryMax=", nil},
		{"jobman show night", `jobman show nightly\ build `, nil},
		{"jobman show 'night", "jobman show 'nightly build' ", nil},
		{`jobman show "qu`, "jobman show \"quo'te \\\"\\$x\\\"\" ", nil},
		{"jobman show qu", `jobman show quo\'te\ \"\$x\" `, nil},
		{"jobman show with:co", "jobman show with:colon ", nil},
		{"jobman show with:", "jobman show with:colon ", nil},
		{"jobman logs --group=etl:", "jobman logs --group=etl:one ", nil},
		{"jobman logs --group et", "jobman logs --group etl:one ", nil},
		{"jobman rerun ün", "jobman rerun ünïcödé ", nil},
		{"jobman show -- --o", "jobman show -- --odd ", nil},
		{"jobman show --od", "jobman show --od", nil},
		{"jobman logs " + id[:5], "jobman logs " + id[:8] + " ", nil},
		{"jobman logs " + id[:12], "jobman logs " + id + " ", nil},
		{"jobman --job-spec back", "jobman --job-spec backup ", nil},
		{"jobman run --wait.sensor dat", "jobman run --wait.sensor data-ready ", nil},
		{"jobman signal x USR1", "jobman signal x USR1 ", nil},
		{"jobman kill run nightly\\ build 1", "jobman kill run nightly\\ build 1 ", nil},
		{"jobman run --name '' --group 'a b' --log.sink jour", "jobman run --name '' --group 'a b' --log.sink journal ", nil},
		{"jobman config sch", "jobman config schema ", nil},
		{"jobman completion pow", "jobman completion powershell ", nil},
		{"jobman help comp", "jobman help completion ", nil},
		{"jobman show no-such-", "jobman show no-such-", nil},
		{"jobman --db " + home + "/none show night", "jobman --db " + home + "/none show night", nil},
	}
}

// fill makes jobs, files and configuration, and returns the id of a job whose id
// alone begins as it does.
func fill(t *testing.T, bin, home string, env []string) string {
	t.Helper()
	jobman := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(filepath.Join(bin, "jobman"), args...)
		cmd.Env, cmd.Dir = env, home
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("jobman %q: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	t.Cleanup(func() {
		jobman("kill", "--all", "--now", "-q")
		if _, err := os.Stat(home + "/none"); err == nil {
			t.Error("to complete makes a store")
		}
	})
	for name, text := range map[string]string{
		"a-file": "", ".jobman.toml": "[job_spec.backup]\ncommand = [\"true\"]\n[sensors.data-ready]\ntype = \"file\"\npaths = [\"/x\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(home, "a-dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nightly build", `quo'te "$x"`, "with:colon", "ünïcödé"} {
		jobman("run", "--name", name, "--group", "etl:one", "--", "true")
	}
	jobman("run", "--wait.timedelta", "1h", "--", "--odd")
	return jobman("run", "--name", "last", "--", "true")
}
