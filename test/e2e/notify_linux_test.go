package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"jobman/test/settings"
)

// TestCrowdNotifies: many jobs fail at once, and who is to be told of that is slow.
func TestCrowdNotifies(t *testing.T) {
	if settings.Here == "" {
		settings.Each(t, settings.Options{})
		return
	}
	t.Run("of failures", crowdNotifies)
}

func crowdNotifies(t *testing.T) {
	const atOnce = 8
	jobs := 500
	if settings.Here == "system" {
		jobs = 50 // which is as the user's
	}
	var mu sync.Mutex
	told := map[string]int{}
	open, most := 0, 0
	slow := make(chan struct{}) // until it is closed nobody is answered
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var n struct {
			Name string `json:"name"`
		}
		if err == nil {
			err = json.Unmarshal(body, &n)
		}
		mu.Lock()
		open++
		most = max(most, open)
		mu.Unlock()
		<-slow
		mu.Lock()
		open--
		told[n.Name]++
		mu.Unlock()
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	home := t.TempDir()
	env := append(os.Environ(), "HOME="+home)
	if settings.Here == "fork" {
		env = append(env, "JOBMAN_BACKEND=fork")
	}
	jobman := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command("jobman", args...)
		cmd.Dir, cmd.Env, cmd.Stdin = home, env, strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("jobman %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	t.Cleanup(func() { jobman("", "kill", "-q", "--all", "--now") })
	var lines strings.Builder
	for i := range jobs {
		fmt.Fprintf(&lines, `{"command": ["false"], "name": "job%d"}`+"\n", i)
	}
	jobman(lines.String(), "run", "-q", "--from", "-", "--notify", server.URL)
	// All jobs end although nobody is answered.
	for until := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if strings.Count(jobman("", "list", "--all", "--result", "failure", "-q"), "\n") == jobs {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the jobs do not end")
		}
	}
	close(slow)
	for until := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		mu.Lock()
		n, busiest := len(told), most
		mu.Unlock()
		if busiest > atOnce {
			t.Fatalf("%d were told at once", busiest)
		}
		if n == jobs {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%d of %d jobs were told of", n, jobs)
		}
	}
}
