package torture

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
	"jobman/store/bolt"
	"jobman/store/tree"
	"jobman/test/settings"
)

const (
	defaultJobs = 750 // in all settings together; of some `run` is killed too early
	submitters  = 8
	// killShare is how many of a hundred processes are killed.
	killShare = 25
	// settleWithin is how long the jobs may take to be over, once nothing is
	// killed any more. It is much more than the minute of the safety net.
	settleWithin = 3 * time.Minute
)

func TestTorture(t *testing.T) {
	if settings.Here == "" {
		settings.Each(t, settings.Options{
			Env:   []string{"N=" + os.Getenv("N"), "TORTURE_SEED=" + os.Getenv("TORTURE_SEED")},
			Limit: 2 * time.Hour,
		})
		return
	}
	t.Run("random kill -9", func(t *testing.T) {
		jobs := settings.Number(t, "N", defaultJobs) / 3
		seed := uint64(settings.Number(t, "TORTURE_SEED", int(time.Now().UnixNano()%1_000_000_000)))
		t.Logf("%s: %d jobs, TORTURE_SEED=%d", settings.Here, jobs, seed)
		w := newWorld(t, seed)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var killing sync.WaitGroup
		killing.Go(func() { w.killer.run(ctx) })
		w.submit(jobs)
		cancel()
		killing.Wait()
		t.Logf("killed: %v", w.killer.hits)
		w.settle()
		w.judge()
		w.tidy()
	})
}

// truth is what is known of a command before it runs.
type truth struct {
	exit   int
	signal job.Signal
	sleeps bool // until it is killed
	lines  int  // that it prints
	runs   int  // how many there are to be
	waits  bool // before the first
}

func (r truth) command() string {
	const start = `echo "$JOBMAN_JOB_ID/$JOBMAN_RUN" >> starts; `
	print := ""
	if r.lines > 0 {
		print = fmt.Sprintf("seq %d; ", r.lines)
	}
	switch {
	case r.sleeps:
		return start + print + "exec sleep 1000"
	case r.signal != "":
		return start + print + "kill -" + string(r.signal) + " $$"
	}
	return start + print + fmt.Sprintf("exit %d", r.exit)
}

// world is a home, its jobs, and what is killed there.
type world struct {
	*settings.Home
	seed   uint64
	tree   tree.Tree
	killer *killer

	mu           sync.Mutex
	truths       map[string]truth // by the job's name
	acknowledged map[job.ID]string
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{Home: settings.NewHome(t), seed: seed, truths: map[string]truth{}, acknowledged: map[job.ID]string{}}
	w.tree = tree.Tree(w.Store())
	w.killer = newKiller(t, w.Dir, rand.New(rand.NewPCG(seed, 0)))
	return w
}

// risk runs a command that may be killed. Any other end than a good one, or one
// of the codes, is an error.
func (w *world) risk(random *rand.Rand, codes []int, args ...string) string {
	var stdout, stderr bytes.Buffer
	cmd := w.Command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		w.Error(err)
		return ""
	}
	doomed := random.IntN(100) < killShare
	if doomed {
		after := time.Duration(random.IntN(20_000)) * time.Microsecond
		timer := time.AfterFunc(after, func() {
			if cmd.Process.Kill() == nil {
				w.killer.count("jobman " + args[0])
			}
		})
		defer timer.Stop()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) && exit.ExitCode() == -1 { // killed, here or by the killer
		return stdout.String()
	}
	if errors.As(err, &exit) {
		for _, code := range codes {
			if exit.ExitCode() == code {
				return stdout.String()
			}
		}
	}
	w.Errorf("jobman %q: %v\n%s", args, err, stderr.Bytes())
	return ""
}

// submit runs that many jobs, with other commands between them.
func (w *world) submit(jobs int) {
	next := make(chan int)
	var workers sync.WaitGroup
	for n := range submitters {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(w.seed, uint64(n)+1))
			for i := range next {
				w.one(random, fmt.Sprint("job", i))
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	workers.Wait()
}

func (w *world) one(random *rand.Rand, name string) {
	r := truth{lines: random.IntN(3) * random.IntN(1000), runs: 1}
	var options []string
	switch random.IntN(6) {
	case 0:
		options, r.waits = []string{"--wait.timedelta", fmt.Sprintf("%dms", random.IntN(500))}, true
	case 1:
		options, r.waits = []string{"--wait.file", "gate*", "--wait.any", "--wait.timedelta", "2s"}, true
	case 2:
		options, r.runs = []string{"--retries.num-runs", "2", "--retries.delay", fmt.Sprintf("%dms", random.IntN(300))}, 2
	}
	switch random.IntN(5) {
	case 0:
		r.sleeps = true
	case 1:
		r.signal = []job.Signal{"TERM", "HUP", "USR1", "SEGV"}[random.IntN(4)]
	default:
		r.exit = random.IntN(4) * random.IntN(64)
	}
	w.mu.Lock()
	w.truths[name] = r
	w.mu.Unlock()
	// A shim that is killed before it is ready has refused the job: code 6.
	out := w.risk(random, []int{6}, slices.Concat([]string{"run", "--name", name}, options, []string{"--", "sh", "-c", r.command()})...)
	if random.IntN(50) == 0 { // what waits for the gate
		if err := os.WriteFile(filepath.Join(w.Dir, "gate"+name), nil, 0o600); err != nil {
			w.Error(err)
		}
	}
	if id, whole := strings.CutSuffix(out, "\n"); whole {
		if !job.IsID(id) {
			w.Errorf("run printed %q", out)
			return
		}
		w.mu.Lock()
		w.acknowledged[job.ID(id)] = name
		w.mu.Unlock()
	}
	switch {
	case r.sleeps:
		w.risk(random, []int{3, 4}, "kill", "-q", name)
	case random.IntN(8) == 0:
		w.risk(random, nil, "list", "-q")
	case random.IntN(8) == 0 && tree.IsWithin(string(w.tree)):
		// As the timer does, once there is a store: the first commands may all
		// have been killed before they made it.
		w.risk(random, nil, "reconcile", string(w.tree))
	case random.IntN(8) == 0:
		// It ends as the job does, and there may be none.
		w.risk(random, []int{r.exit, 1, 3, 125, 137, 128 + int(r.signal.Number())}, "wait", "-q", name)
	}
}

func (w *world) jobs() []*job.Job {
	w.Helper()
	s, err := bolt.Open(string(w.tree), bolt.Options{})
	if err != nil {
		w.Fatal(err)
	}
	jobs, err := s.Query(context.Background(), store.Filter{Runs: -1})
	if err != nil {
		w.Fatal(err)
	}
	return jobs
}

// settle waits until all jobs are over. Those whose kill was killed sleep on, so
// they are killed once more.
func (w *world) settle() {
	w.Helper()
	began := time.Now()
	for {
		// Looking is all that a user does.
		w.Jobman("list", "-q")
		active, sleeping := 0, []string{"kill", "-q"}
		for _, j := range w.jobs() {
			if !j.Completed() {
				active++
				if w.truths[j.Spec.Name].sleeps {
					sleeping = append(sleeping, string(j.ID))
				}
			}
		}
		if active == 0 {
			w.Logf("over after another %v", time.Since(began).Round(time.Millisecond))
			return
		}
		if len(sleeping) > 2 {
			w.Jobman(sleeping...)
		}
		if time.Since(began) > settleWithin {
			w.Fatalf("%d jobs are still active:\n%s", active, w.Jobman("list", "--status", "active"))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// judge holds what is recorded of each job against its truth.
func (w *world) judge() {
	w.Helper()
	starts := w.starts()
	found := map[job.ID]bool{}
	lost, checked := 0, 0
	for _, j := range w.jobs() {
		found[j.ID] = true
		truth := w.truths[j.Spec.Name]
		killed := truth.sleeps && j.Result == job.Killed
		if len(j.Runs) != truth.runs && (!killed || len(j.Runs) == 0 && !truth.waits) {
			w.Errorf("%s (%+v) has %d runs and is %s", j.ID, truth, len(j.Runs), j.Result)
			continue
		}
		for i := range j.Runs {
			r := &j.Runs[i]
			ref := job.Ref{ID: j.ID, Run: r.N}
			n := starts[ref]
			if n > 1 {
				w.Errorf("%v was executed %d times", ref, n)
			}
			hit := w.killer.of(ref)
			if r.Reason == job.ReasonLost {
				lost++
				if settings.Here != "fork" || !hit["shim"] {
					w.Errorf("%s %v is lost, and what was killed of it is %v\n%s", j.Spec.Name, ref, hit, w.files(ref))
				}
				continue
			}
			if why := truth.contradicts(r, n, hit); why != "" {
				w.Errorf("%s %v (%+v): %s: result %s, reason %s, %q; killed: %v", j.Spec.Name, ref, truth, why, r.Result, r.Reason, r.Message, hit)
			}
			if !truth.sleeps && n == 1 && len(hit) == 0 {
				checked++
				if out := w.Jobman("logs", "--raw", "--run", strconv.Itoa(r.N), string(j.ID)); out != sequence(truth.lines) {
					w.Errorf("%v: %d bytes of output instead of %d", ref, len(out), len(sequence(truth.lines)))
				}
			}
		}
	}
	for id, name := range w.acknowledged {
		if !found[id] {
			w.Errorf("%s (%s) was acknowledged and is gone", name, id)
		}
	}
	w.Logf("%d jobs, %d acknowledged, %d lost; the output of %d was compared", len(found), len(w.acknowledged), lost, checked)
}

// contradicts tells what is wrong with the record of a run that was executed n
// times, while these verbs of jobman were killed for it; "": nothing.
func (r truth) contradicts(run *job.Run, n int, hit map[string]bool) string {
	switch {
	case run.Reason == job.ReasonStartFailed:
		if n != 0 || !hit["exec"] && !hit["shim"] {
			return fmt.Sprintf("it was executed %d times", n)
		}
	case run.Signal == "KILL" && hit["exec"]:
		// It became the command, or was about to.
	case r.sleeps:
		if run.Result != job.Killed {
			return "it sleeps until it is killed"
		}
	case n != 1:
		return fmt.Sprintf("it was executed %d times", n)
	case r.signal != "":
		if run.Signal != r.signal {
			return "it ended itself with a signal"
		}
	case run.ExitCode == nil || *run.ExitCode != r.exit:
		return "it ended by itself"
	}
	return ""
}

// files shows what a run has left, for a report.
func (w *world) files(ref job.Ref) string {
	out, err := exec.Command("sh", "-c", "ls -la --time-style=full-iso $0; cd $0 && tail -n +1 claim exit jobman.log kill* stop* 2>/dev/null; cat state", string(w.tree.Run(ref))).CombinedOutput()
	return fmt.Sprintf("%s%v", out, err)
}

func sequence(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}

// starts returns how often each run says that it was executed.
func (w *world) starts() map[job.Ref]int {
	w.Helper()
	f, err := os.Open(filepath.Join(w.Dir, "starts"))
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	count := map[job.Ref]int{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		id, n, _ := strings.Cut(lines.Text(), "/")
		run, err := strconv.Atoi(n)
		if err != nil || !job.IsID(id) {
			w.Fatalf("a start says %q", lines.Text())
		}
		count[job.Ref{ID: job.ID(id), Run: run}]++
	}
	if err := lines.Err(); err != nil {
		w.Fatal(err)
	}
	return count
}

// tidy waits until nothing of ours is left running or failed. What a killed shim
// leaves behind is the command's own.
func (w *world) tidy() {
	w.Helper()
	if settings.Here == "fork" {
		return
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		w.Jobman("reconcile", string(w.tree))
		args := []string{"list-units", "--all", "--plain", "--no-legend", "jobman-*-*-*-*-*"}
		if settings.Here == "user" {
			args = append([]string{"--user"}, args...)
		}
		out, err := exec.Command("systemctl", args...).CombinedOutput()
		if err != nil {
			w.Fatalf("systemctl: %v\n%s", err, out)
		}
		if len(out) == 0 {
			return
		}
		if time.Now().After(end) {
			w.Fatalf("units are left:\n%s", out)
		}
	}
}
