//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"jobman/events"
	"jobman/job"
	"jobman/store/tree"
)

// The ticker is one process for all waiting jobs of a store. It is there while
// something waits. It steps nothing itself: when a time has come, or a path has
// changed, it starts `jobman step`, and every minute the safety net.
//
// Whoever arms a job commits it first, then pokes the ticker, and then looks
// whether one is there. A ticker that finds nothing waiting gives up its lock and
// looks once more. So a job is seen by one of the two.

// tickerFile is a file in the ticker's directory of a store.
func tickerFile(store tree.Tree, name string) string {
	return filepath.Join(string(store), "ticker", name)
}

const pokeName = "poke"

// Arm implements engine.Backend.
func (s *Supervisor) Arm(ctx context.Context, _ *job.Job) error {
	if err := os.MkdirAll(tickerFile(s.store, ""), 0o700); err != nil {
		return fmt.Errorf("start a ticker: %w", err)
	}
	if err := s.poke(); err != nil {
		return fmt.Errorf("tell the ticker: %w", err)
	}
	_, held, err := holderOf(tickerFile(s.store, lockName))
	if err != nil {
		return fmt.Errorf("look for the ticker: %w", err)
	}
	if held {
		return nil
	}
	return s.spawn(ctx, string(s.store.Log()), "tick", string(s.store))
}

// poke makes the ticker look at the jobs again.
func (s *Supervisor) poke() error {
	return os.WriteFile(tickerFile(s.store, pokeName), nil, 0o600)
}

// Disarm implements engine.Backend: the ticker looks at what is in the index.
func (s *Supervisor) Disarm(context.Context, job.ID) error {
	err := s.poke()
	if errors.Is(err, os.ErrNotExist) {
		return nil // there never was one
	}
	return err
}

// Armed implements engine.Backend: all are while there is a ticker.
func (s *Supervisor) Armed(_ context.Context, jobs []*job.Job) (map[job.ID]bool, error) {
	_, held, err := holderOf(tickerFile(s.store, lockName))
	if err != nil {
		return nil, fmt.Errorf("look for the ticker: %w", err)
	}
	armed := make(map[job.ID]bool, len(jobs))
	for _, j := range jobs {
		armed[j.ID] = held
	}
	return armed, nil
}

const (
	// tickAtMost is how long the ticker sleeps at most: clocks are set.
	tickAtMost = time.Minute
	// gather is how long it waits for more events after one.
	gather = 5 * time.Millisecond
	// stepsAtOnce bounds the processes it has at a time.
	stepsAtOnce = 8
	// tickAgain is when what was due and is still due is tried again.
	tickAgain = 5 * time.Second
)

// ticker is the process.
type ticker struct {
	store   tree.Tree
	exe     string
	waiting func() ([]*job.Job, error)

	events  *fsnotify.Watcher
	watched map[string]bool      // directories
	seen    map[job.ID]int       // the revision whose paths were looked at
	busy    map[string]bool      // steps under way: a job's id, or "due"
	queue   []string             // steps to be started
	tried   map[string]time.Time // when a step was started last
	done    chan string
	net     time.Time // when the safety net came along last
}

// Tick is the internal verb `tick`: it is the store's ticker until nothing waits.
// waiting returns the waiting jobs of this machine's fork supervisor.
func Tick(store tree.Tree, waiting func() ([]*job.Job, error)) error {
	ready := detach()
	listen()
	t := &ticker{
		store: store, waiting: waiting, watched: map[string]bool{}, seen: map[job.ID]int{},
		busy: map[string]bool{}, tried: map[string]time.Time{}, done: make(chan string, stepsAtOnce), net: time.Now(),
	}
	err := t.begin()
	if err != nil {
		return errors.Join(err, say(ready, "start a ticker: "+err.Error()))
	}
	defer t.events.Close()
	for {
		lock, err := lockFile(tickerFile(store, lockName))
		if errors.Is(err, errHeld) {
			if ready != nil {
				return say(ready, readyWord) // another is there
			}
			return nil
		}
		if err != nil {
			return errors.Join(err, say(ready, "start a ticker: "+err.Error()))
		}
		if ready != nil {
			if err := say(ready, readyWord); err != nil {
				t.complain(err) // whoever started us is gone
			}
			ready = nil
		}
		err = t.loop()
		if cerr := lock.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
		if jobs, err := waiting(); err != nil || len(jobs) == 0 {
			return err
		}
	}
}

// complain notes what went wrong in the store's jobman.log.
func (t *ticker) complain(err error) { t.store.Log().Add(events.Failure(err)) }

func (t *ticker) begin() (err error) {
	if t.exe, err = os.Executable(); err != nil {
		return err
	}
	if t.events, err = fsnotify.NewWatcher(); err != nil {
		return err
	}
	return t.events.Add(tickerFile(t.store, ""))
}

// loop does its work until nothing waits.
func (t *ticker) loop() error {
	for {
		jobs, err := t.waiting()
		if err != nil {
			return err
		}
		if len(jobs) == 0 && len(t.busy) == 0 {
			return nil
		}
		t.watch(jobs)
		pause := t.plan(jobs)
		t.start()
		select {
		case e := <-t.events.Events:
			changed := []string{e.Name}
			for more := time.After(gather); more != nil; {
				select {
				case e := <-t.events.Events:
					changed = append(changed, e.Name)
				case <-more:
					more = nil
				}
			}
			t.notice(jobs, changed)
		case err := <-t.events.Errors:
			t.complain(err)
		case what := <-t.done:
			delete(t.busy, what)
		case <-time.After(pause):
			if now := time.Now(); now.Sub(t.net) >= tickAtMost {
				t.net = now
				t.enqueue("net")
			}
		}
	}
}

// plan queues what is due, and returns how long nothing else is.
func (t *ticker) plan(jobs []*job.Job) time.Duration {
	now := time.Now()
	pause := tickAtMost
	for _, j := range jobs {
		if j.NextAt.IsZero() {
			continue
		}
		what := "due"
		if j.Polling() {
			what = string(j.ID)
		}
		wait := j.NextAt.Sub(now)
		if again := t.tried[what].Add(tickAgain).Sub(now); wait <= 0 && !t.tried[what].Before(j.NextAt) && again > 0 {
			wait = again // it was tried since
		}
		if wait <= 0 {
			t.enqueue(what)
			continue
		}
		pause = min(pause, wait)
	}
	return pause
}

func (t *ticker) enqueue(what string) {
	if !slices.Contains(t.queue, what) {
		t.queue = append(t.queue, what)
	}
}

// start starts queued steps, as many as may run at a time.
func (t *ticker) start() {
	var left []string
	for _, what := range t.queue {
		if t.busy[what] || len(t.busy) >= stepsAtOnce {
			left = append(left, what)
			continue
		}
		t.tried[what] = time.Now()
		args := []string{"step", string(t.store), what}
		if what == "net" {
			args = []string{"reconcile", string(t.store)}
		}
		cmd := exec.Command(t.exe, args...)
		cmd.Dir, cmd.Env, cmd.Stderr = "/", []string{}, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			t.complain(err)
			continue
		}
		t.busy[what] = true
		go func() {
			_ = cmd.Wait() // it says itself what went wrong
			t.done <- what
		}()
	}
	t.queue = left
}

// watch watches the directories of the paths that jobs wait for. What was armed
// anew is looked at: it may have changed before it was watched.
func (t *ticker) watch(jobs []*job.Job) {
	wanted := map[string]bool{}
	present := make(map[job.ID]bool, len(jobs))
	var fresh []*job.Job
	for _, j := range jobs {
		present[j.ID] = true
		for _, w := range j.Armed.Watches {
			wanted[existing(filepath.Dir(string(w.Path)))] = true
			if w.Kind == job.PathChanged {
				wanted[existing(string(w.Path))] = true
			}
		}
		if len(j.Armed.Watches) > 0 && t.seen[j.ID] != j.Armed.Rev {
			fresh = append(fresh, j)
		}
	}
	for dir := range wanted {
		if t.watched[dir] {
			continue
		}
		if err := t.events.Add(dir); err != nil {
			t.complain(fmt.Errorf("watch %s: %w", dir, err))
		}
		t.watched[dir] = true
	}
	for dir := range t.watched {
		if !wanted[dir] {
			_ = t.events.Remove(dir) // it may be gone
			delete(t.watched, dir)
		}
	}
	for _, j := range fresh {
		t.seen[j.ID] = j.Armed.Rev
		if j.Armed.Edges() || slices.ContainsFunc(j.Armed.Watches, func(w job.Watch) bool { return there(string(w.Path)) }) {
			t.enqueue(string(j.ID))
		}
	}
	for id := range t.seen {
		if !present[id] {
			delete(t.seen, id)
			delete(t.tried, string(id))
		}
	}
}

// existing returns the path, or the nearest directory above it that is there.
func existing(path string) string {
	for {
		info, err := os.Stat(path)
		if parent := filepath.Dir(path); err != nil && parent != path {
			path = parent
			continue
		}
		if err == nil && !info.IsDir() {
			return filepath.Dir(path)
		}
		return path
	}
}

func there(glob string) bool {
	if exists(glob) {
		return true
	}
	found, err := filepath.Glob(glob)
	return err == nil && len(found) > 0
}

// notice queues the jobs that wait for one of the paths that changed.
func (t *ticker) notice(jobs []*job.Job, changed []string) {
	for _, j := range jobs {
		if slices.ContainsFunc(j.Armed.Watches, func(w job.Watch) bool { return concerns(w, changed) }) {
			t.enqueue(string(j.ID))
		}
	}
}

func concerns(w job.Watch, changed []string) bool {
	path := string(w.Path)
	for _, name := range changed {
		if name == path || strings.HasPrefix(path, name+"/") {
			return true // the path, or what it is in
		}
		if w.Kind == job.PathChanged && filepath.Dir(name) == path {
			return true
		}
		if ok, err := filepath.Match(path, name); w.Kind == job.PathExistsGlob && err == nil && ok {
			return true
		}
	}
	return false
}
