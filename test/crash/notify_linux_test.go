package crash

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobman/job"
	"jobman/test/settings"
)

// bothNotify are the points at which an event could get lost on its way to a callback.
// Each may be told of more than once, but of the same event.
var bothNotify = []string{"deliver:sent", "deliver:commit", "deliver:committed", "deliver:recorded"}

// crashNotifying kills who delivers, or who has just committed what is to be delivered.
func crashNotifying(t *testing.T) {
	points := append(bothNotify, "step:settled")
	if settings.Here == "fork" {
		points = append(bothNotify, "shim:settled")
	}
	for _, at := range points {
		t.Run("notify,"+at, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			tell := filepath.Join(h.Dir, "tell")
			if err := os.WriteFile(tell, []byte("#!/bin/sh\necho $JOBMAN_EVENT_ID >> told\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			h.crash(crash{at: at}, "run", "--name", "victim", "--notify", "script:"+tell, "--", "sh", "-c", "echo x >> starts; exit 7")
			eventually(t, "the crash comes", func() bool { return h.hit(at) })
			eventually(t, "the event is delivered", func() bool {
				long := time.Now().Add(-time.Hour)
				if err := os.Chtimes(filepath.Join(string(h.tree), "reconciled"), long, long); err != nil {
					t.Fatal(err)
				}
				h.Jobman("list", "-q") // it brings the safety net
				all, err := h.store.Deliveries(t.Context(), job.ID(h.acknowledged))
				if err != nil {
					t.Fatal(err)
				}
				return len(all) == 1 && all[0].State == job.Delivered
			})
			told, err := os.ReadFile(filepath.Join(h.Dir, "told"))
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Fields(string(told))
			for _, line := range lines {
				if line != lines[0] {
					t.Errorf("told of %q", lines)
				}
			}
			if again := at == "deliver:sent" || at == "deliver:commit"; again != (len(lines) > 1) {
				t.Errorf("told %d times", len(lines))
			}
			h.judge(crash{}, done)
		})
	}
}
