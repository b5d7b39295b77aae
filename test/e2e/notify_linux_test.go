package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jobman/test/settings"
)

// What telling callbacks may cost, however many there are to tell.
const (
	tellersAtOnce = 4         // of one callback
	tellersMemory = 128 << 20 // bytes, in proportion where it is shared
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
	jobs := 500
	if settings.Here == "system" {
		jobs = 50 // which is as the user's
	}
	var mu sync.Mutex
	told := map[string]int{}
	slow := make(chan struct{}) // until it is closed nobody is answered
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var n struct {
			Name string `json:"name"`
		}
		if err == nil {
			err = json.Unmarshal(body, &n)
		}
		if err != nil {
			t.Error(err)
		}
		select {
		case <-slow:
		case <-r.Context().Done():
			return // it has given up, and will come again
		}
		mu.Lock()
		told[n.Name]++
		mu.Unlock()
	}))
	t.Cleanup(server.Close)
	h := settings.NewHome(t)
	var lines strings.Builder
	for i := range jobs {
		fmt.Fprintf(&lines, `{"command": ["false"], "name": "job%d"}`+"\n", i)
	}
	submit := h.Command("run", "-q", "--from", "-", "--notify", server.URL)
	submit.Stdin = strings.NewReader(lines.String())
	if out, err := submit.CombinedOutput(); err != nil {
		t.Fatalf("submit: %v\n%s", err, out)
	}
	cost := &tellers{home: h}
	// All jobs end although nobody is answered.
	cost.until("the jobs end", func() bool {
		return strings.Count(h.Jobman("list", "--all", "--result", "failure", "-q"), "\n") == jobs
	})
	cost.until("callbacks are told at once", func() bool { return cost.most > 1 })
	close(slow)
	cost.until("all are told of", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) == jobs
	})
	t.Logf("at most %d told at once, with %d KiB in all", cost.most, cost.memory>>10)
}

// tellers are the processes that tell a home's callbacks.
type tellers struct {
	home         *settings.Home
	most, memory int
}

var (
	deliverer = regexp.MustCompile(`^\S+ deliver /`)
	teller    = regexp.MustCompile(`-net send$`)
)

// until waits for a condition, and watches meanwhile what telling costs.
func (c *tellers) until(what string, met func() bool) {
	t := c.home
	t.Helper()
	for until := time.Now().Add(5 * time.Minute); !met(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("it does not come that %s", what)
		}
		n, memory := 0, 0
		for pid, argv := range t.Processes() {
			switch {
			case teller.MatchString(argv):
				n++
				fallthrough
			case deliverer.MatchString(argv):
				memory += proportional(pid)
			}
		}
		c.most, c.memory = max(c.most, n), max(c.memory, memory)
		if c.most > tellersAtOnce || c.memory > tellersMemory {
			t.Fatalf("%d were told at once, with %d KiB in all", c.most, c.memory>>10)
		}
	}
}

var pss = regexp.MustCompile(`(?m)^Pss: +(\d+) kB`)

// proportional is the memory of a process in bytes, see proc(5) of smaps_rollup; 0: it
// has ended.
func proportional(pid string) int {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "smaps_rollup"))
	if err != nil {
		return 0
	}
	found := pss.FindSubmatch(b)
	if found == nil {
		return 0
	}
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return 0
	}
	return kb << 10
}
