//go:build vm && amd64

package vm

import (
	"encoding/json"
	"strings"
	"testing"
)

// hungry is a shell's argument that allocates 200 MB in a child, and is done.
const hungry = `'perl -e "\$x = chr(1) x 200_000_000"; echo survived'`

func TestMemoryMaxKills(t *testing.T) {
	m := newMachine(t)
	for _, user := range []string{"root", "alice"} {
		t.Run(user, func(t *testing.T) {
			m := m.in(t)
			flag := ""
			if user != "root" {
				flag = "--user"
				m.sh(user, "systemctl --user is-system-running --wait")
			}
			// The kernel and systemd do it.
			a := m.sh(user, "systemd-run "+flag+" --wait -p MemoryMax=20M -- sh -c "+hungry)
			if !strings.Contains(a.stderr, "oom-kill") {
				t.Fatalf("without jobman nothing kills: %+v", a)
			}
			a = m.sh(user, "jobman run -p MemoryMax=20M -- sh -c "+hungry)
			if a.code != 0 {
				t.Fatalf("jobman run: code %d\n%s", a.code, a.stderr)
			}
			id := strings.TrimSpace(a.stdout)
			m.sh(user, "jobman wait "+id)
			a = m.sh(user, "jobman show --json "+id)
			var j shown
			if err := json.Unmarshal([]byte(a.stdout), &j); err != nil {
				t.Fatalf("jobman show: %v: %+v", err, a)
			}
			if j.Result != "failure" || j.Reason != "oom" {
				t.Errorf("result %q, reason %q (%s); want failure, oom", j.Result, j.Reason, j.Message)
			}
		})
	}
}

// shown is what is of interest in a job shown as JSON.
type shown struct {
	ID       string
	Status   string
	Result   string
	Reason   string
	Message  string
	ExitCode *int `json:"exit_code"`
	RunCount int  `json:"run_count"`
}
