package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"jobman/test/settings"
)

func TestManualPagesRenderWithoutWarnings(t *testing.T) {
	settings.Packages(t.Context(), t, map[string]string{"mandoc": "/usr/bin/mandoc", "groff-base": "/usr/bin/groff"})
	pages, err := filepath.Glob(manDir + "/*.[0-9]")
	if err != nil || len(pages) == 0 {
		t.Fatalf("there are no pages: %v", err)
	}
	for _, tool := range [][]string{{"mandoc", "-T", "lint", "-W", "warning"}, {"groff", "-ww", "-man", "-T", "ascii", "-z"}} {
		for _, page := range pages {
			cmd := exec.CommandContext(t.Context(), tool[0], append(tool[1:], page)...)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v\n%s", filepath.Base(page), err, out)
			}
		}
	}
}
