package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jobman/test/settings"
)

// How many commands TestCrowd runs at once.
const (
	crowdRuns  = 200
	crowdLists = 50
	crowdKills = 50
)

// Many commands at once: each does what it should, and nothing gets lost.
func TestCrowd(t *testing.T) {
	if settings.Here == "" {
		settings.Each(t, settings.Options{})
		return
	}
	t.Run("runs beside lists and kills", func(t *testing.T) {
		h := settings.NewHome(t)
		for i := range crowdKills {
			h.Jobman("run", "-q", "--name", fmt.Sprint("victim", i), "sleep", "1000")
		}
		var mu sync.Mutex
		slowest := map[string]time.Duration{}
		var wg sync.WaitGroup
		at := func(args ...string) {
			wg.Go(func() {
				began := time.Now()
				out, err := h.Command(args...).CombinedOutput()
				took := time.Since(began)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("jobman %q: %v\n%s", args, err, out)
				}
				slowest[args[0]] = max(slowest[args[0]], took)
			})
		}
		for i := range crowdRuns {
			at("run", "-q", "--name", fmt.Sprint("job", i), "sh", "-c", fmt.Sprintf("echo %d >> starts; exit %d", i, i%256))
			if i%(crowdRuns/crowdLists) == 0 {
				at("list", "-q")
			}
			if i%(crowdRuns/crowdKills) == 1 {
				at("kill", "-q", fmt.Sprint("victim", i/(crowdRuns/crowdKills)))
			}
		}
		wg.Wait()
		t.Logf("the slowest: %v", slowest)
		for i := range crowdRuns {
			out, err := h.Command("wait", "-q", fmt.Sprint("job", i)).CombinedOutput()
			code := 0
			if exit := new(exec.ExitError); errors.As(err, &exit) {
				code = exit.ExitCode()
			}
			if code != i%256 {
				t.Errorf("job %d ended with %d: %v\n%s", i, code, err, out)
			}
		}
		starts, err := os.ReadFile(filepath.Join(h.Dir, "starts"))
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for line := range strings.Lines(string(starts)) {
			count[line]++
		}
		for line, n := range count {
			if n != 1 {
				t.Errorf("job %s was executed %d times", line, n)
			}
		}
		if len(count) != crowdRuns {
			t.Errorf("%d of %d jobs were executed", len(count), crowdRuns)
		}
		if killed := strings.Count(h.Jobman("list", "--all", "--result", "killed", "-q"), "\n"); killed != crowdKills {
			t.Errorf("%d of %d jobs were killed", killed, crowdKills)
		}
	})
}
