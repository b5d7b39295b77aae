package main

import (
	_ "embed"
	"fmt"
)

// The scripts, which call what is in complete.go.
var (
	//go:embed completions/jobman.bash
	bashScript string
	//go:embed completions/jobman.zsh
	zshScript string
	//go:embed completions/jobman.fish
	fishScript string
	//go:embed completions/jobman.ps1
	powershellScript string
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"The shell: bash, zsh, fish or powershell."`
}

// Help implements kong's hook for the text below the summary.
func (*completionCmd) Help() string {
	return `Prints a script that has the shell complete verbs, flags and their values, jobs,
groups and what the configuration names. In bash without the package
bash-completion: source <(jobman completion bash).

Examples:
  jobman completion bash > ~/.local/share/bash-completion/completions/jobman
  jobman completion zsh > DIR/_jobman              DIR is in $fpath
  jobman completion fish > ~/.config/fish/completions/jobman.fish
  jobman completion powershell >> $PROFILE`
}

// Run prints the script.
func (c *completionCmd) Run(a *app) error {
	script := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript}[c.Shell]
	_, err := fmt.Fprint(a.stdout, script)
	return err
}
