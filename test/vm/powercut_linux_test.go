//go:build vm && amd64

package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"jobman/test/settings"
)

const (
	defaultRounds = 10
	jobsPerRound  = 100
	// settleWithin is how long after a boot the jobs may take to be over.
	settleWithin = 5 * time.Minute
)

// truth is what is known of a command before it runs.
type truth struct {
	exit  int
	round int
}

// cutter is a machine whose power is cut, and what must hold of it.
type cutter struct {
	*machine
	random       *rand.Rand
	acknowledged map[string]truth // by the job's id
	started      map[string]int   // by ID/RUN, how often its command began

	lost, untold, late int // jobs: lost, lost without having begun, begun after a boot
}

func TestPowerCut(t *testing.T) {
	rounds := settings.Number(t, "VM_ROUNDS", defaultRounds)
	seed := settings.Number(t, "VM_SEED", int(time.Now().UnixNano()%1_000_000_000))
	t.Logf("%d rounds of %d jobs, VM_SEED=%d", rounds, jobsPerRound, seed)
	c := &cutter{machine: newMachine(t), random: rand.New(rand.NewPCG(uint64(seed), 0)), acknowledged: map[string]truth{}}
	c.proveCut()
	for round := 1; round <= rounds; round++ {
		ids := c.submitAndCut(round)
		c.boot()
		before := len(c.starts())
		c.settle()
		c.late += len(c.starts()) - before
		c.judge(round, ids)
		if t.Failed() {
			break
		}
	}
	c.judgeAll()
	twice := 0
	for _, n := range c.started {
		if n > 1 {
			twice++
		}
	}
	t.Logf("in all %d jobs acknowledged, %d began, %d of them after a boot; %d runs began twice; %d lost, %d of them never began",
		len(c.acknowledged), len(c.started), c.late, twice, c.lost, c.untold)
}

// proveCut proves that a cut takes what was not synced, and leaves what was.
func (c *cutter) proveCut() {
	c.Helper()
	c.sh("root", "echo synced > synced; sync synced .; echo unsynced > unsynced")
	c.cut()
	c.boot()
	if out := c.sh("root", "cat synced unsynced").stdout; out != "synced\n" {
		c.Fatalf("a cut does not do what it is to: there is %q", out)
	}
}

// submission is a line of the shell that submits: a job's number, then what
// jobman run prints.
var submission = regexp.MustCompile(`^([0-9]+) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// submitAndCut submits jobs one after another, and cuts the power some time after
// one of them was acknowledged. It returns the ids of those that were.
func (c *cutter) submitAndCut(round int) (ids []string) {
	c.Helper()
	truths := make([]truth, jobsPerRound)
	var list strings.Builder
	for i := range truths {
		truths[i] = truth{exit: c.random.IntN(8), round: round}
		fmt.Fprintf(&list, "%d 0.%03d %d\n", i, c.random.IntN(1000), truths[i].exit)
	}
	// In one round of six all jobs have been submitted by then.
	after, more := 1+c.random.IntN(jobsPerRound*6/5), time.Duration(c.random.Int64N(int64(500*time.Millisecond)))
	var cut *time.Timer
	began := time.Now()
	_, err := c.script(`export HOME=/root; cd
while read -r i pause code; do
	printf '%s ' $i
	jobman run -- sh -c "echo \$JOBMAN_JOB_ID/\$JOBMAN_RUN | dd of=/root/starts oflag=append conv=notrunc,fsync status=none; sleep $pause; exit $code" < /dev/null 2>&1 ||
		echo "jobman run: code $?"
done <<END
`+list.String()+`END
`, func(line string) {
		m := submission.FindStringSubmatch(line)
		if m == nil {
			if line != "" {
				c.Errorf("round %d: %s", round, line)
			}
			return
		}
		i, err := strconv.Atoi(m[1])
		if err != nil || i >= len(truths) {
			c.Fatalf("round %d: %s", round, line)
		}
		ids = append(ids, m[2])
		c.acknowledged[m[2]] = truths[i]
		if len(ids) == min(after, jobsPerRound) {
			cut = time.AfterFunc(more, c.qemu.kill)
		}
	})
	switch {
	case cut == nil:
		c.Fatalf("round %d: %d jobs were submitted, and %d were to be: %v\n%s", round, len(ids), after, err, c.said())
	case err == nil:
		<-c.qemu.ended
	case !errors.Is(err, errCut):
		c.Fatal(err)
	}
	c.cut()
	c.Logf("round %d: cut %s after job %d, in %.1f s, with %d acknowledged", round, more, min(after, jobsPerRound), time.Since(began).Seconds(), len(ids))
	return ids
}

// settle finds the store sound, and waits until no job is active.
func (c *cutter) settle() {
	c.Helper()
	if a := c.sh("root", "jobman doctor"); a.code != 0 {
		c.Errorf("jobman doctor: code %d\n%s%s", a.code, a.stdout, a.stderr)
	}
	began := time.Now()
	var active []shown
	for {
		active = c.list("--status active")
		if len(active) == 0 {
			c.Logf("settled in %.1f s", time.Since(began).Seconds())
			return
		}
		if time.Since(began) > settleWithin {
			c.Errorf("after %s there are %d active jobs: %+v", settleWithin, len(active), active[0])
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// list returns the jobs that jobman list shows.
func (c *cutter) list(flags string) (jobs []shown) {
	c.Helper()
	a := c.sh("root", "jobman list --json --all "+flags)
	if err := json.Unmarshal([]byte(a.stdout), &jobs); err != nil || a.code != 0 {
		c.Fatalf("jobman list: code %d, %v\n%s", a.code, err, a.stderr)
	}
	return jobs
}

var startedRun = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9]+`)

// starts returns the ID/RUN of each command that began, as often as it did.
func (c *cutter) starts() []string {
	c.Helper()
	return startedRun.FindAllString(c.sh("root", "cat starts").stdout, -1)
}

// judge holds a round's jobs against what is known of them.
func (c *cutter) judge(round int, ids []string) {
	c.Helper()
	c.started = map[string]int{}
	began := map[string]bool{}
	for _, run := range c.starts() {
		c.started[run]++
		if c.started[run] > 1 {
			c.Errorf("%s was executed twice", run)
		}
		id, _, _ := strings.Cut(run, "/")
		if began[id] && c.started[run] == 1 {
			c.Errorf("%s was executed in two runs", id)
		}
		began[id] = true
	}
	a := c.sh("root", "for id in "+strings.Join(ids, " ")+`; do jobman show --json $id || echo "{\"id\": \"$id\", \"status\": \"code $?\"}"; done`)
	lost, untold := 0, 0
	shows := json.NewDecoder(strings.NewReader(a.stdout))
	for _, id := range ids {
		var j shown
		if err := shows.Decode(&j); err != nil {
			c.Fatalf("jobman show %s: %v\n%s", id, err, a.stderr)
		}
		c.judgeOne(id, j, began[id])
		if j.Reason == "lost" {
			lost++
			if !began[id] {
				untold++
			}
		}
	}
	if err := shows.Decode(new(shown)); !errors.Is(err, io.EOF) {
		c.Errorf("jobman show says more than was asked: %v", err)
	}
	c.lost += lost
	c.untold += untold
	c.Logf("round %d: %d lost, %d of them never began", round, lost, untold)
}

// judgeOne holds a job that was acknowledged against what is known of it.
func (c *cutter) judgeOne(id string, j shown, began bool) {
	c.Helper()
	exit := c.acknowledged[id].exit
	switch result := map[bool]string{true: "success", false: "failure"}[exit == 0]; {
	case j.ID != id || j.Status != "completed":
		c.Errorf("%s was acknowledged in round %d, and is %+v", id, c.acknowledged[id].round, j)
	case j.Reason == "lost":
	case j.Result != result || j.ExitCode == nil || *j.ExitCode != exit:
		c.Errorf("%s exits with %d, and is %+v", id, exit, j)
	case !began:
		c.Errorf("%s never began, and is %+v", id, j)
	}
}

// judgeAll does the same for the jobs of all rounds, and for those that began
// though nobody saw them acknowledged.
func (c *cutter) judgeAll() {
	c.Helper()
	began := map[string]bool{}
	for run := range c.started {
		id, _, _ := strings.Cut(run, "/")
		began[id] = true
	}
	listed := map[string]shown{}
	for _, j := range c.list("") {
		listed[j.ID] = j
	}
	for id := range c.acknowledged {
		c.judgeOne(id, listed[id], began[id])
	}
	for id := range began {
		if listed[id].ID == "" {
			c.Errorf("%s began, and is not listed", id)
		}
	}
}
