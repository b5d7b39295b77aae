package main

import (
	"path/filepath"

	"jobman/config"
)

type configTrustCmd struct {
	File string `arg:"" help:"The file. Changed, it must be trusted anew."`
}

// Help implements kong's hook for the text below the summary.
func (*configTrustCmd) Help() string {
	return `A .jobman.* in a working directory may have come with somebody's repository, so it may
set little until you have read and trusted it.

Examples:
  jobman config trust .jobman.toml`
}

// Run trusts a file in a working directory, as it is now.
func (c *configTrustCmd) Run(a *app) error {
	home, err := homeDir()
	if err != nil {
		return &problem{kind: "failed", text: "find the home directory: " + err.Error(), err: err}
	}
	file, err := filepath.Abs(c.File)
	if err != nil {
		return usage("%s: %v", c.File, pathCause(err))
	}
	if err := config.Trust(filepath.Join(home, ".jobman"), file); err != nil {
		return usage("trust %v", pathCause(err))
	}
	if a.JSON {
		return a.printJSON(map[string]any{"trusted": file})
	}
	a.note("%s is trusted as it is now", file)
	return nil
}
