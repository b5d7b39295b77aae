package supervisor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
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
// The watcher is the same for the jobs of systemd that wait for too many paths; times
// and the safety net are systemd's there.

const (
	// tickAtMost is how long the ticker sleeps at most: clocks are set.
	tickAtMost = time.Minute
	// gather is how long it waits for more events after one.
	gather = 5 * time.Millisecond
	// stepsAtOnce bounds the processes it has at a time, and jobsAtOnce how many jobs
	// one of them steps: when many come at once that is much less work.
	stepsAtOnce = 8
	jobsAtOnce  = 64
	// tickAgain is when what was due and is still due is tried again, and what could
	// not be started.
	tickAgain = 5 * time.Second
	// giveAfter is how long nothing must have been read for memory to be given back.
	giveAfter = time.Second
	// readShare is how many times longer than reading the jobs it does something else:
	// when many are armed at once, each of them pokes.
	readShare = 4
)

// pollPrefix is before the id of a job whose polled conditions are to be checked, which
// may take its time.
const pollPrefix = "poll "

// ticker is the process.
type ticker struct {
	store   tree.Tree
	post    post
	exe     string
	times   bool // it sees to times and the safety net too
	waiting func() ([]*job.Job, error)

	events  *fsnotify.Watcher // nil: there can be none
	watches *watches
	busy    map[string]bool      // steps under way: a job's id, "poll" and that, "due" or "net"
	running int                  // processes that do them
	queue   []string             // steps to be started
	tried   map[string]time.Time // when a step was started last
	done    chan []string
	net     time.Time // when the safety net came along last
	poked   bool      // the jobs are to be read again
	readAt  time.Time // not before
	readBy  time.Time // by then in any case
	giveAt  time.Time // when the memory is given back that this took; zero: it was
	stuck   bool      // no process could be started
}

func newTicker(store tree.Tree, p post, waiting func() ([]*job.Job, error)) *ticker {
	return &ticker{
		store: store, post: p, waiting: waiting, busy: map[string]bool{}, tried: map[string]time.Time{},
		done: make(chan []string, stepsAtOnce), net: time.Now(), poked: true,
	}
}

// Tick is the internal verb `tick`: it is the store's ticker until nothing waits.
// waiting returns the waiting jobs of this machine's fork supervisor.
func Tick(store tree.Tree, waiting func() ([]*job.Job, error)) error {
	ready := detach()
	listen()
	t := newTicker(store, tickerPost(store), waiting)
	t.times = true
	err := t.begin()
	if err != nil {
		return errors.Join(err, say(ready, "start a ticker: "+err.Error()))
	}
	return t.serve(func(err error) error {
		switch {
		case ready == nil:
			return err
		case err != nil:
			return errors.Join(err, say(ready, "start a ticker: "+err.Error()))
		}
		if err := say(ready, readyWord); err != nil {
			t.complain(err) // whoever started us is gone
		}
		ready = nil
		return nil
	})
}

// Watch is the internal verb `watch`: it is the store's watcher until no job needs it.
// waiting returns those that do. systemd starts it, and ends it by a signal.
func Watch(store tree.Tree, waiting func() ([]*job.Job, error)) error {
	t := newTicker(store, watcherPost(store), waiting)
	if err := t.begin(); err != nil {
		return err
	}
	return t.serve(func(err error) error { return err })
}

// begin gets what it takes to notice anything.
func (t *ticker) begin() (err error) {
	if err = t.post.make(); err != nil {
		return err
	}
	if t.exe, err = os.Executable(); err != nil {
		return err
	}
	t.watches = newWatches(t.store)
	if err := t.attend(); err != nil {
		fmt.Fprintf(os.Stderr, "jobman: ticker: all is looked at every %v: %v\n", lookEvery, err)
	}
	return nil
}

// attend gets an instance of inotify. Where the user's are used up, paths are looked at
// every few seconds until there is one.
func (t *ticker) attend() error {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	if err := events.Add(string(t.post)); err != nil {
		return errors.Join(err, events.Close())
	}
	t.events, t.watches.inotify = events, events
	return nil
}

// serve works while something waits. begun is told once when it can be relied on, or
// why it can't; it returns at once where another one is there.
func (t *ticker) serve(begun func(error) error) error {
	defer func() {
		if t.events != nil {
			t.events.Close()
		}
	}()
	for {
		lock, err := lockFile(t.post.file(lockName))
		if errors.Is(err, errHeld) {
			return begun(nil)
		}
		if err = begun(err); err != nil {
			return err
		}
		err = t.loop()
		if cerr := lock.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
		if jobs, err := t.waiting(); err != nil || len(jobs) == 0 {
			return err
		}
		t.poked = true
	}
}

// loop does its work until nothing waits.
func (t *ticker) loop() error {
	var jobs []*job.Job // with times
	waits := 0
	for {
		now := time.Now()
		if t.poked = t.poked || !now.Before(t.readBy); t.poked && !now.Before(t.readAt) {
			t.poked = false
			var err error
			if t.events == nil && t.attend() == nil {
				t.watches.lost()
			}
			if jobs, err = t.waiting(); err != nil {
				return err
			}
			t.readAt = time.Now().Add(max(gather, readShare*time.Since(now)))
			t.readBy = now.Add(tickAtMost)
			if t.events == nil { // nor can anybody poke
				t.readBy = now.Add(lookEvery)
			}
			t.giveAt = time.Now().Add(giveAfter)
			t.forget(jobs)
			t.watches.want(jobs)
			if waits = len(jobs); !t.times {
				jobs = nil // which is most of the memory
			}
		}
		if waits == 0 && t.running == 0 && !t.poked {
			return nil
		}
		now = time.Now()
		pause := min(t.watches.settle(now), t.readBy.Sub(now))
		if t.times {
			pause = min(pause, t.plan(jobs))
		}
		for _, id := range t.watches.due(now) {
			t.enqueue(string(id))
		}
		t.start()
		if t.stuck {
			pause = min(pause, tickAgain)
		}
		if t.poked {
			pause = min(pause, time.Until(t.readAt))
		}
		if wait := t.giveAt.Sub(now); !t.giveAt.IsZero() && wait > 0 {
			pause = min(pause, wait)
		} else if !t.giveAt.IsZero() {
			giveBack()
			t.giveAt = time.Time{}
		}
		t.await(pause)
	}
}

// forget drops what is known of jobs that wait no more.
func (t *ticker) forget(jobs []*job.Job) {
	waits := make(map[string]bool, len(jobs))
	for _, j := range jobs {
		waits[string(j.ID)] = true
	}
	for what := range t.tried {
		if id := strings.TrimPrefix(what, pollPrefix); job.IsID(id) && !waits[id] {
			delete(t.tried, what)
		}
	}
}

// await waits until something happens, and takes it in.
func (t *ticker) await(pause time.Duration) {
	var events chan fsnotify.Event
	var failures chan error
	if t.events != nil {
		events, failures = t.events.Events, t.events.Errors
	}
	timeout := time.NewTimer(max(0, pause))
	defer timeout.Stop()
	select {
	case e := <-events:
		t.notice(e)
		for more := time.After(gather); more != nil; {
			select {
			case e := <-events:
				t.notice(e)
			case <-more:
				more = nil
			}
		}
	case err := <-failures:
		t.complain(err)
		if errors.Is(err, fsnotify.ErrEventOverflow) {
			t.watches.lost()
		}
		t.poked = true
	case batch := <-t.done:
		t.running--
		for _, what := range batch {
			delete(t.busy, what)
		}
		t.poked = true
	case <-timeout.C:
	}
}

// complain notes what went wrong in the store's jobman.log.
func (t *ticker) complain(err error) { t.store.Log().Add(events.Failure(err)) }

func (t *ticker) notice(e fsnotify.Event) {
	switch e.Name {
	case "": // it stands for nothing
	case t.post.file(pokeName):
		t.poked = true
	default:
		t.watches.notice(e)
	}
}

// plan queues what is due, and returns how long nothing else is.
func (t *ticker) plan(jobs []*job.Job) time.Duration {
	now := time.Now()
	pause := tickAtMost - now.Sub(t.net)
	if pause <= 0 {
		t.net, pause = now, tickAtMost
		t.enqueue("net")
		t.poked = true
	}
	at := func(what string, due time.Time, wait time.Duration) {
		if due.IsZero() {
			return
		}
		if again := t.tried[what].Add(tickAgain).Sub(now); wait <= 0 && !t.tried[what].Before(due) && again > 0 {
			wait = again // it was tried since
		}
		if wait <= 0 {
			t.enqueue(what)
			return
		}
		pause = min(pause, wait)
	}
	for _, j := range jobs {
		at("due", j.Armed.At, j.Armed.At.Sub(now))
		at(pollPrefix+string(j.ID), j.Armed.Poll, j.Armed.Poll.Sub(now))
		if j.SetBack(now) {
			at(string(j.ID), now.Add(-tickAgain), 0)
		}
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
	t.stuck = false
	for t.running < stepsAtOnce && !t.stuck {
		batch := t.take()
		if len(batch) == 0 {
			return
		}
		args := []string{"step", string(t.store)}
		switch id, polls := strings.CutPrefix(batch[0], pollPrefix); {
		case batch[0] == "net":
			args[0] = "reconcile"
		case polls || batch[0] == "due":
			args = append(args, id)
		default:
			args = append(append(args, "quick"), batch...)
		}
		cmd, err := startApart(func(cmd *exec.Cmd) { cmd.Stderr = os.Stderr }, t.exe, args...)
		if err != nil {
			t.complain(err)
			t.queue, t.stuck = append(batch, t.queue...), true
			return
		}
		t.running++
		for _, what := range batch {
			t.tried[what] = time.Now()
			t.busy[what] = true
		}
		go func() {
			_ = cmd.Wait() // it says itself what went wrong
			t.done <- batch
		}()
	}
}

// take takes from the queue what the next process is to do, which is one thing, or
// jobs that are stepped at once.
func (t *ticker) take() (batch []string) {
	var left []string
	for _, what := range t.queue {
		quick := job.IsID(what)
		switch {
		case t.busy[what], len(batch) > 0 && !quick, len(batch) == jobsAtOnce:
			left = append(left, what)
		default:
			batch = append(batch, what)
			if !quick {
				left = append(left, t.queue[len(left)+1:]...)
				t.queue = left
				return batch
			}
		}
	}
	t.queue = left
	return batch
}
