package engine

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
	"jobman/store/bolt"
	"jobman/store/tree"
)

// waiting is an engine over a real store, with a clock that a test sets, sensors that
// it answers for, and a backend that notes what it is asked for.
type waiting struct {
	*Engine
	t     *testing.T
	check func(c job.Condition) job.Check

	mu    sync.Mutex // guards what follows
	time  time.Time
	met   map[job.Kind]bool
	armed []job.Armed
	full  bool // no path unit can be had
}

func newWaiting(t *testing.T) *waiting {
	t.Helper()
	dir := tree.Tree(filepath.Join(t.TempDir(), "db"))
	s, err := bolt.Open(string(dir), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &waiting{t: t, time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), met: map[job.Kind]bool{}}
	w.Engine = &Engine{
		Store: s, Tree: dir, HostID: "host", Sensors: w, Patient: true, Log: func(err error) { t.Log(err) },
		Backend: func(string, string) (Backend, error) { return (*paths)(w), nil },
		Now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.time
		},
	}
	w.check = func(c job.Condition) job.Check {
		w.mu.Lock()
		defer w.mu.Unlock()
		return job.Check{At: w.time, Met: w.met[c.Kind]}
	}
	return w
}

func (w *waiting) set(kind job.Kind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.met[kind] = true
}

// pass lets time pass, backwards too.
func (w *waiting) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

func (w *waiting) submit(id string, change func(*job.Spec)) job.ID {
	w.t.Helper()
	spec := job.Spec{Command: job.Texts([]string{"true"}), StopSignal: "TERM"}
	change(&spec)
	j := &job.Job{ID: job.ID("00000000-0000-4000-8000-00000000000" + id), Spec: spec, SubmittedAt: w.now(), Backend: "systemd", Scope: "user"}
	if err := w.Submit(context.Background(), j, nil, false); err != nil {
		w.t.Fatal(err)
	}
	return j.ID
}

func (w *waiting) job(id job.ID) *job.Job {
	w.t.Helper()
	j, err := w.Store.Get(context.Background(), id, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func (w *waiting) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Check implements Sensors.
func (w *waiting) Check(_ context.Context, _ *job.Job, c job.Condition) job.Check { return w.check(c) }

// Watch implements Sensors.
func (w *waiting) Watch(c job.Condition) []job.Watch {
	return []job.Watch{{Kind: job.PathExists, Path: c.Target}}
}

// paths is the backend.
type paths waiting

func (p *paths) Arm(_ context.Context, j *job.Job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = append(p.armed, j.Armed)
	if p.full && len(j.Armed.Watches) > 0 && !j.Armed.Watcher {
		return job.ErrUnwatched
	}
	return nil
}

func (p *paths) Armed(_ context.Context, jobs []*job.Job) (map[job.ID]bool, error) {
	armed := map[job.ID]bool{}
	for _, j := range jobs {
		armed[j.ID] = true
	}
	return armed, nil
}

func (p *paths) Room(_ context.Context, _ job.ID, paths int) (bool, error) { return paths <= 2, nil }

func (p *paths) Manager(context.Context) (string, error)              { return "m", nil }
func (p *paths) Start(context.Context, *job.Job) error                { return nil }
func (p *paths) Stop(context.Context, job.Ref, job.StopRequest) error { return nil }
func (p *paths) Signal(context.Context, job.Ref, job.Signal) error    { return nil }
func (p *paths) Disarm(context.Context, job.ID) error                 { return nil }
func (p *paths) Forget(context.Context, []job.Ref) error              { return nil }
func (p *paths) Deliver(context.Context, time.Time) error             { return nil }
func (p *paths) Close() error                                         { return nil }

func (p *paths) Observe(_ context.Context, runs []job.Ref) (map[job.Ref]job.Unit, error) {
	seen := map[job.Ref]job.Unit{}
	for _, ref := range runs {
		seen[ref] = job.Unit{State: job.UnitLive}
	}
	return seen, nil
}

func delay(d time.Duration) *job.Duration {
	v := job.Duration(d)
	return &v
}

// The clock is set back by a day: who waits for a while, or between two runs, does not
// wait a day for it, be it that a timer counts by another clock or the net comes along.
func TestAClockThatIsSetBack(t *testing.T) {
	day := 24 * time.Hour
	for name, notice := range map[string]func(*waiting){
		"a timer": func(w *waiting) { w.must(w.Due(context.Background())) },
		"the net": func(w *waiting) {
			_, err := w.Reconcile(context.Background())
			w.must(err)
		},
		"a look": func(w *waiting) {
			jobs, err := w.Store.Query(context.Background(), store.Filter{Active: true})
			w.must(err)
			_, err = w.Look(context.Background(), jobs)
			w.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWaiting(t)
			timed := w.submit("1", func(s *job.Spec) { s.Wait.Timedelta = delay(time.Minute) })
			extra := w.submit("2", func(s *job.Spec) {
				s.Wait.Timedelta, s.Wait.ExtraDelay = delay(time.Second), job.Duration(time.Minute)
			})
			delayed := w.submit("3", func(s *job.Spec) { s.Wait.Timedelta = delay(time.Hour) })
			w.must(w.Store.Update(context.Background(), []job.ID{delayed}, func(j *job.Job) error {
				j.Phase, j.Since, j.NextAt, j.RunCount = job.Delayed, w.now(), w.now().Add(time.Minute), 1
				j.Runs = []job.Run{{N: 1, Phase: job.Done, Result: job.Failure}}
				return nil
			}))
			w.pass(10 * time.Second)
			w.must(w.Step(context.Background(), extra))
			if w.job(extra).MetAt.IsZero() {
				t.Fatal("the extra delay has not begun")
			}
			w.pass(-day)
			notice(w)
			for _, id := range []job.ID{timed, extra, delayed} {
				j := w.job(id)
				if j.NextAt.Sub(w.now()) > time.Minute || !j.Armed.At.Equal(j.NextAt) {
					t.Errorf("%s is due in %v, and armed for %v", id, j.NextAt.Sub(w.now()), j.Armed.At.Sub(w.now()))
				}
			}
			w.pass(time.Minute + time.Millisecond)
			w.must(w.Due(context.Background()))
			for id, runs := range map[job.ID]int{timed: 1, extra: 1, delayed: 2} {
				if j := w.job(id); j.RunCount != runs {
					t.Errorf("%s has not started: %d runs, due at %v", id, j.RunCount, j.NextAt)
				}
			}
		})
	}
}

// hang makes checks of scripts hang until the test ends, or go is closed; it returns
// what is closed when the first has begun, and counts them.
func (w *waiting) hang(goOn chan struct{}) (began chan struct{}, count *int) {
	began, count = make(chan struct{}), new(int)
	quick := w.check
	w.check = func(c job.Condition) job.Check {
		if c.Kind == job.KindScript {
			w.mu.Lock()
			if *count++; *count == 1 {
				close(began)
			}
			w.mu.Unlock()
			<-goOn
		}
		return quick(c)
	}
	return began, count
}

// While a script hangs, whatever else may start the job or end it does.
func TestAHangingScriptDelaysNothing(t *testing.T) {
	for name, c := range map[string]struct {
		wait    func(*job.Wait, time.Time)
		happens func(*waiting, job.ID)
		phase   job.Phase
	}{
		"a file": {
			func(w *job.Wait, _ time.Time) { w.File, w.Any = []job.Text{"/f"}, true },
			func(w *waiting, id job.ID) {
				w.set(job.KindFile)
				_, err := w.StepTriggered(context.Background(), id, false)
				w.must(err)
			}, job.Starting,
		},
		"a time": {
			func(w *job.Wait, _ time.Time) { w.Timedelta, w.Any = delay(time.Minute), true },
			func(w *waiting, _ job.ID) {
				w.pass(time.Minute + time.Millisecond)
				w.must(w.Due(context.Background()))
			}, job.Starting,
		},
		"the end": {
			func(w *job.Wait, now time.Time) { w.AbortDatetime = now.Add(time.Minute) },
			func(w *waiting, _ job.ID) {
				w.pass(time.Minute + time.Millisecond)
				w.must(w.Due(context.Background()))
			}, job.Done,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWaiting(t)
			w.Patient = false
			id := w.submit("1", func(s *job.Spec) {
				s.Wait.Script, s.Wait.PollInterval = []job.Text{"/s"}, job.Duration(time.Hour)
				c.wait(&s.Wait, w.now())
			})
			w.Patient = true
			goOn := make(chan struct{})
			began, count := w.hang(goOn)
			var checking sync.WaitGroup
			checking.Go(func() {
				if err := w.Step(context.Background(), id); err != nil {
					t.Error(err)
				}
			})
			<-began
			c.happens(w, id)
			if got := w.job(id).Phase; got != c.phase {
				t.Errorf("the job is %v, want %v", got, c.phase)
			}
			close(goOn)
			checking.Wait()
			if *count != 1 {
				t.Errorf("the script was called %d times", *count)
			}
		})
	}
}

// A script is not called twice at a time, nor again because something else of the job
// has changed while it was: what it found counts with what is so by then.
func TestOneCheckAtATime(t *testing.T) {
	w := newWaiting(t)
	w.Patient = false
	id := w.submit("1", func(s *job.Spec) {
		s.Wait.File, s.Wait.Script, s.Wait.PollInterval = []job.Text{"/f"}, []job.Text{"/s"}, job.Duration(time.Hour)
	})
	w.Patient = true
	w.set(job.KindScript)
	goOn := make(chan struct{})
	began, count := w.hang(goOn)
	var checking sync.WaitGroup
	checking.Go(func() {
		if err := w.Step(context.Background(), id); err != nil {
			t.Error(err)
		}
	})
	<-began
	w.set(job.KindFile)
	_, err := w.StepTriggered(context.Background(), id, false)
	w.must(err)
	if j := w.job(id); j.Phase != job.Waiting || !j.Conditions[0].Met {
		t.Fatalf("the file came: %+v", j)
	}
	close(goOn)
	checking.Wait()
	if j := w.job(id); j.Phase != job.Starting || *count != 1 {
		t.Errorf("%v after %d calls", j.Phase, *count)
	}
}

// Who can't have a path unit, or wants too many paths, has the watcher.
func TestWhoWatches(t *testing.T) {
	w := newWaiting(t)
	files := func(n int) func(*job.Spec) {
		return func(s *job.Spec) {
			for i := range n {
				s.Wait.File = append(s.Wait.File, job.Text([]byte{byte(97 + i)}))
			}
		}
	}
	if a := w.job(w.submit("1", files(2))).Armed; a.Watcher {
		t.Errorf("two paths: %+v", a)
	}
	if a := w.job(w.submit("2", files(3))).Armed; !a.Watcher || a.Rev != 1 {
		t.Errorf("three paths: %+v", a)
	}
	w.full = true
	if a := w.job(w.submit("3", files(1))).Armed; !a.Watcher || a.Rev != 2 {
		t.Errorf("no unit can be had: %+v", a)
	}
}

// A path unit that starts a step for nothing would start the next at once: who steps
// is told.
func TestATriggerForNothing(t *testing.T) {
	w := newWaiting(t)
	id := w.submit("1", func(s *job.Spec) { s.Wait.File, s.Wait.ExtraDelay = []job.Text{"/f"}, job.Duration(time.Minute) })
	for _, want := range []bool{true, false} {
		w.pass(time.Second)
		idle, err := w.StepTriggered(context.Background(), id, false)
		if err != nil || idle != want {
			t.Errorf("idle %t, %v, want %t", idle, err, want)
		}
		w.set(job.KindFile)
	}
}
