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
		home := t.TempDir()
		env := append(os.Environ(), "HOME="+home)
		if settings.Here == "fork" {
			env = append(env, "JOBMAN_BACKEND=fork")
		}
		jobman := func(args ...string) (string, error) {
			cmd := exec.Command("jobman", args...)
			cmd.Dir, cmd.Env = home, env
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("jobman %q: %w\n%s", args, err, out)
			}
			return string(out), err
		}
		must := func(args ...string) string {
			t.Helper()
			out, err := jobman(args...)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		t.Cleanup(func() { must("kill", "-q", "--all", "--now") })
		for i := range crowdKills {
			must("run", "-q", "--name", fmt.Sprint("victim", i), "sleep", "1000")
		}
		var mu sync.Mutex
		slowest := map[string]time.Duration{}
		var wg sync.WaitGroup
		at := func(args ...string) {
			wg.Go(func() {
				began := time.Now()
				_, err := jobman(args...)
				took := time.Since(began)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
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
			_, err := jobman("wait", "-q", fmt.Sprint("job", i))
			code := 0
			if exit := new(exec.ExitError); errors.As(err, &exit) {
				code = exit.ExitCode()
			}
			if code != i%256 {
				t.Errorf("job %d ended with %d: %v", i, code, err)
			}
		}
		starts, err := os.ReadFile(filepath.Join(home, "starts"))
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
		if killed := strings.Count(must("list", "--all", "--result", "killed", "-q"), "\n"); killed != crowdKills {
			t.Errorf("%d of %d jobs were killed", killed, crowdKills)
		}
	})
}
