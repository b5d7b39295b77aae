package job

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

func retries(change func(*Retries)) Spec {
	s := Spec{Retries: DefaultRetries()}
	change(&s.Retries)
	return s
}

func seconds(n float64) Duration { return Duration(n * float64(time.Second)) }

// Every way to repeat that there is. A run takes 1.5 s.
func TestRepeating(t *testing.T) {
	failing := exits(1)
	for _, c := range []struct {
		name string
		spec Spec
		end  func(int) (Exit, time.Duration)
		want string
	}{
		{"once", retries(func(*Retries) {}), exits(0), "success/exit after 1 runs (1+ 0-), 1.5s"},
		{"once, failing", retries(func(*Retries) {}), failing, "failure/exit after 1 runs (0+ 1-), 1.5s"},
		{"n times, also after success", retries(func(r *Retries) { r.NumRuns = 3 }), exits(0), "success/exit after 3 runs (3+ 0-), 4.5s"},
		{"n times, the last result counts", retries(func(r *Retries) { r.NumRuns = 3 }), exits(0, 0, 2), "failure/exit after 3 runs (2+ 1-), 4.5s"},
		{"until n failures", retries(func(r *Retries) { r.NumRuns, r.NumFailures = -1, 2 }), exits(0, 1, 0, 0, 1), "failure/exit after 5 runs (3+ 2-), 7.5s"},
		{"until n failures, at most N runs", retries(func(r *Retries) { r.NumRuns, r.NumFailures = 3, 2 }), exits(1, 0), "success/exit after 3 runs (2+ 1-), 4.5s"},
		{"until n successes", retries(func(r *Retries) { r.NumRuns, r.NumSuccesses = -1, 2 }), exits(1, 0, 1, 0), "success/exit after 4 runs (2+ 2-), 6s"},
		{"until n successes, at most N runs", retries(func(r *Retries) { r.NumRuns, r.NumSuccesses = 3, 2 }), exits(0, 1, 1), "failure/exit after 3 runs (1+ 2-), 4.5s"},
		{"successes wanted and not reached, though the last was one", retries(func(r *Retries) { r.NumRuns, r.NumSuccesses = 2, 2 }), exits(1, 0), "failure/exit after 2 runs (1+ 1-), 3s"},
		{"both targets at once: the success wins", retries(func(r *Retries) { r.NumRuns, r.NumSuccesses, r.NumFailures = 1, 1, 1 }), exits(0), "success/exit after 1 runs (1+ 0-), 1.5s"},
		{"until a moment", retries(func(r *Retries) { r.NumRuns, r.AbortDatetime = -1, t0.Add(4*time.Second) }), failing, "failure/retry-abort after 3 runs (0+ 3-), 4.5s"},
		{"until a moment, at most N runs", retries(func(r *Retries) { r.NumRuns, r.AbortDatetime = 2, t0.Add(time.Hour) }), failing, "failure/exit after 2 runs (0+ 2-), 3s"},
		{"until a moment, that a delay would pass", retries(func(r *Retries) { r.NumRuns, r.AbortDatetime, r.Delay = -1, t0.Add(10*time.Second), seconds(9) }), exits(0), "success/retry-abort after 1 runs (1+ 0-), 1.5s"},
		{"delay", retries(func(r *Retries) { r.NumRuns, r.Delay = 3, seconds(10) }), exits(0), "success/exit after 3 runs (3+ 0-), 24.5s"},
		{"backoff", retries(func(r *Retries) { r.NumRuns, r.Delay, r.BackoffBase = 4, seconds(1), 3 }), exits(0), "success/exit after 4 runs (4+ 0-), 19s"},
		{"backoff, capped", retries(func(r *Retries) {
			r.NumRuns, r.Delay, r.BackoffBase, r.MaxDelay = 4, seconds(1), 3, MaxDelay(2*time.Second)
		}), exits(0), "success/exit after 4 runs (4+ 0-), 11s"},
		{"backoff beyond all bounds", retries(func(r *Retries) {
			r.NumRuns, r.Delay, r.BackoffBase, r.MaxDelay = 2000, seconds(1), 1e300, MaxDelay(time.Second)
		}), failing, "failure/exit after 2000 runs (0+ 2000-), 1h23m19s"},
		{"no delay at most", retries(func(r *Retries) { r.NumRuns, r.Delay, r.MaxDelay = 2, seconds(100), 0 }), exits(0), "success/exit after 2 runs (2+ 0-), 3s"},
		{"success codes with ranges", retries(func(r *Retries) {
			r.NumRuns, r.NumSuccesses, r.SuccessCodes = 5, 1, Codes{{0, 0}, {10, 19}}
		}), exits(9, 20, 15), "success/exit after 3 runs (1+ 2-), 4.5s"},
		{"neutral", retries(func(r *Retries) { r.FailureCodes = Codes{{1, 9}} }), exits(10), "neutral/exit after 1 runs (0+ 0-), 1.5s"},
		{"a neutral run reaches no target", retries(func(r *Retries) {
			r.NumRuns, r.NumFailures, r.FailureCodes = -1, 1, Codes{{1, 9}}
		}), exits(10, 11, 3), "failure/exit after 3 runs (0+ 1-), 4.5s"},
		{"a signal is a failure", retries(func(r *Retries) { r.FailureCodes = Codes{{1, 9}} }), func(int) (Exit, time.Duration) { return Exit{Signal: "SEGV"}, time.Second }, "failure/signal after 1 runs (0+ 1-), 1s"},
		{"--retry 2", retries(func(r *Retries) { r.NumRuns, r.NumSuccesses = 3, 1 }), failing, "failure/exit after 3 runs (0+ 3-), 4.5s"},
		{"--retry 2, and the second does it", retries(func(r *Retries) { r.NumRuns, r.NumSuccesses = 3, 1 }), exits(1, 0), "success/exit after 2 runs (1+ 1-), 3s"},
		{"timeout of the run", func() Spec {
			s := retries(func(r *Retries) { r.NumRuns = 2 })
			s.Timeout.Run = seconds(1)
			return s
		}(), exits(0), "failure/timeout after 2 runs (0+ 2-), 2s"},
		{"timeout of the job, in a run", func() Spec {
			s := retries(func(r *Retries) { r.NumRuns = -1 })
			s.Timeout.Job = seconds(4)
			return s
		}(), exits(0), "failure/job-timeout after 3 runs (2+ 1-), 4s"},
		{"timeout of the job, before a run", func() Spec {
			s := retries(func(r *Retries) { r.NumRuns, r.Delay = -1, seconds(3) })
			s.Timeout.Job = seconds(4)
			return s
		}(), exits(0), "failure/job-timeout after 1 runs (1+ 0-), 1.5s"},
		{"timeout of the job, in its first run", func() Spec {
			s := retries(func(*Retries) {})
			s.Timeout = Timeout{Run: seconds(2), Job: seconds(1)}
			return s
		}(), exits(0), "failure/job-timeout after 1 runs (0+ 1-), 1s"},
		{"without delay and limit, what ends at once gets a pause", retries(func(r *Retries) {
			r.NumRuns, r.NumSuccesses = -1, 1
		}), func(n int) (Exit, time.Duration) {
			return Exit{Code: code(min(1, max(0, 13-n)))}, 0
		}, "success/exit after 13 runs (1+ 12-), 3s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.spec, c.end)
			w.live(10_000)
			if got := w.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestJitterIsUniform(t *testing.T) {
	r := DefaultRetries()
	r.Delay, r.JitterRange = seconds(10), seconds(4)
	random := rand.New(rand.NewPCG(1, 2))
	const n, bins = 100_000, 8
	var count [bins]int
	for range n {
		d := r.delay(1, random.Float64()).Seconds()
		if d < 8 || d >= 12 {
			t.Fatalf("a delay of %vs", d)
		}
		count[int((d-8)/4*bins)]++
	}
	chi := 0.0
	for _, c := range count {
		chi += math.Pow(float64(c)-n/bins, 2) / (n / bins)
	}
	if chi > 24.3 { // 99.9 % with 7 degrees of freedom
		t.Errorf("it is not uniform: %v, chi² %v", count, chi)
	}
	r.Delay = 0
	if d := r.delay(1, 0); d != 0 {
		t.Errorf("a delay of %v", d)
	}
}

func TestARebootIsAFailureOrNothing(t *testing.T) {
	for _, c := range []struct {
		policy OnReboot
		want   string
	}{
		{OnRebootFail, "success/exit after 2 runs (1+ 1-), 1m1.5s"},
		{OnRebootRerun, "success/exit after 3 runs (2+ 0-), 1m3s"},
	} {
		spec := retries(func(r *Retries) { r.NumRuns = 2 })
		spec.OnReboot = c.policy
		w := newWorld(t, spec, exits(0))
		w.once()
		w.step()
		// The machine goes down without a word, and comes up a minute later.
		w.now, w.manager, w.unit, w.over = t0.Add(time.Minute), "m2", UnitAbsent, time.Time{}
		w.once()
		if r := w.job.Run(1); r.Reason != ReasonLost {
			t.Fatalf("run 1: %+v", r)
		}
		w.live(100)
		if got := w.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.policy, got, c.want)
		}
	}
}

func TestAClockThatIsSetBackDelaysNoLonger(t *testing.T) {
	w := newWorld(t, retries(func(r *Retries) { r.NumRuns, r.Delay = 2, seconds(10) }), exits(0))
	w.once()
	w.step()
	w.advance(t0.Add(1500 * time.Millisecond))
	w.once()
	w.now = w.now.Add(-24 * time.Hour)
	w.step()
	if d := w.job.NextAt.Sub(w.now); d != 10*time.Second {
		t.Errorf("the next run is %v away", d)
	}
	w.step()
	if d := w.job.NextAt.Sub(w.now); d != 10*time.Second {
		t.Errorf("with the next look it is %v away", d)
	}
}

// Random histories of random jobs: whatever happens, in whatever order, the laws
// hold (see unlawful), and every job that can end does.
func TestRandomHistories(t *testing.T) {
	steps, seed := 0, uint64(20261124)
	total := 2_000_000
	if testing.Short() {
		total = 100_000
	}
	reasons := map[Reason]int{}
	for ; steps < total; seed++ {
		w := history(t, seed)
		steps += w.steps
		reasons[w.job.Reason]++
	}
	t.Logf("%d steps; the jobs ended with %v", steps, reasons)
	for _, r := range []Reason{ReasonExit, ReasonSignal, ReasonTimeout, ReasonJobTimeout, ReasonOOM, ReasonStartFailed, ReasonLost, ReasonKilled, ReasonWaitAbort, ReasonWaitImpossible, ReasonRetryAbort} {
		if reasons[r] == 0 {
			t.Errorf("no job ended with %s: these histories don't reach it", r)
		}
	}
}

// history lives one random job to its end, or kills it after a while.
func history(t testing.TB, seed uint64) *world {
	random := rand.New(rand.NewPCG(seed, 1))
	pick := func(values ...int) int { return values[random.IntN(len(values))] }
	spec := retries(func(r *Retries) {
		r.NumRuns, r.NumSuccesses, r.NumFailures = pick(-1, 1, 2, 5), pick(-1, -1, 1, 3), pick(-1, -1, 1, 3)
		r.Delay, r.JitterRange = seconds(float64(pick(0, 0, 1, 60))), seconds(float64(pick(0, 0, 1, 100)))
		r.BackoffBase = float64(pick(1, 1, 2, 1000))
		r.MaxDelay = []MaxDelay{NoMaxDelay, NoMaxDelay, 0, MaxDelay(time.Minute)}[random.IntN(4)]
		if pick(0, 0, 1) == 1 {
			r.AbortDatetime = t0.Add(time.Duration(random.IntN(300)) * time.Second)
		}
		if pick(0, 1) == 1 {
			r.FailureCodes = Codes{{1, 3}}
		}
	})
	spec.Timeout = Timeout{Run: seconds(float64(pick(0, 0, 2))), Job: seconds(float64(pick(0, 0, 30)))}
	spec.StopGrace = seconds(float64(pick(0, 10)))
	if pick(0, 1) == 1 {
		spec.OnReboot = OnRebootRerun
	}
	waiting(random, &spec.Wait)
	w := newWorld(t, spec, func(int) (Exit, time.Duration) {
		took := time.Duration(random.IntN(4000)) * time.Millisecond
		switch random.IntN(6) {
		case 0:
			return Exit{Signal: "SEGV"}, took
		case 1:
			return Exit{StartError: "no"}, took
		case 2:
			return Exit{Code: code(0), ServiceResult: "oom-kill"}, took
		}
		return Exit{Code: code(random.IntN(6))}, took
	})
	w.random = random.Float64
	const patience = 60
	for i := 0; !w.job.Completed(); i++ {
		if i > 40*patience {
			t.Fatalf("seed %d: it does not end: %+v", seed, w.job)
		}
		w.sense(random)
		w.once()
		if w.job.Completed() {
			break
		}
		w.happen(random, i > patience)
	}
	again := w.job
	decided, _ := Decide(w.job, w.observe())
	if !reflect.DeepEqual(again, decided) {
		t.Fatalf("seed %d: a completed job moved", seed)
	}
	return w
}

func waiting(random *rand.Rand, w *Wait) {
	if random.IntN(2) == 0 {
		return
	}
	if random.IntN(2) == 0 {
		w.Datetime = t0.Add(time.Duration(random.IntN(100)) * time.Second)
	}
	if random.IntN(2) == 0 {
		d := seconds(float64(random.IntN(100)))
		w.Timedelta = &d
	}
	if random.IntN(2) == 0 {
		w.File = []Text{"/a"}
	}
	if random.IntN(2) == 0 {
		w.Script, w.PollInterval = []Text{"/b"}, seconds(5)
	}
	if random.IntN(4) == 0 {
		w.Job = []string{"x:success"}
	}
	for random.IntN(2) == 0 {
		w.Sensor = append(w.Sensor, [...]Sensor{
			{Name: "a file", Kind: KindFile, Targets: []Text{"/c", "/d"}},
			{Name: "a script", Kind: KindScript, Targets: []Text{"/e", "/f"}, PollInterval: seconds(7)},
			{Name: "a while", Kind: KindTimedelta, Targets: []Text{"3s", "20s"}},
		}[random.IntN(3)])
		s := &w.Sensor[len(w.Sensor)-1]
		s.Any, s.Delay = random.IntN(2) == 0, seconds(float64(random.IntN(4)))
	}
	w.Any = random.IntN(2) == 0
	w.ExtraDelay = seconds(float64(random.IntN(3)))
	if random.IntN(3) == 0 {
		w.AbortDatetime = t0.Add(time.Duration(random.IntN(200)) * time.Second)
	}
}

// sense looks at the conditions, which are met or not as it happens.
func (w *world) sense(random *rand.Rand) {
	w.checks = make([]Check, len(w.job.Conditions))
	w.watches = make([][]Watch, len(w.job.Conditions))
	look := func(i int) {
		w.checks[i] = Check{At: w.now, Met: random.IntN(3) == 0}
		if w.job.Conditions[i].Kind == KindJob && !w.checks[i].Met {
			w.checks[i].Impossible = random.IntN(10) == 0
		}
	}
	for i, c := range w.job.Conditions {
		if !c.Kind.Timed() && !c.Kind.Polled() {
			look(i)
			w.watches[i] = []Watch{{"PathExists", c.Target}}
		}
	}
	for i, due := range w.job.PollsDue(w.observe()) {
		if due {
			look(i)
		}
	}
}

// happen lets something happen, and time pass. A job that has lived long enough
// is killed.
func (w *world) happen(random *rand.Rand, enough bool) {
	to := w.now.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
	if random.IntN(3) > 0 && (!w.over.IsZero() || !w.job.NextAt.IsZero()) {
		to = w.nextEvent()
	}
	kill := &Kill{At: to, Signal: "TERM", Until: to.Add(time.Duration(w.job.Spec.StopGrace))}
	switch n := random.IntN(60); {
	case enough && w.job.Kill == nil, n == 0:
		_ = w.job.RequestKill(0, kill) // a run that is over is none
	case n < 4 && w.job.Last() != nil:
		_ = w.job.RequestKill(w.job.Last().N, kill)
	case n == 4:
		_ = w.job.Release(to) // of one that waits for nothing
	case n == 5: // a reboot
		w.manager += "x"
		if !w.over.IsZero() {
			w.unit, w.over = UnitAbsent, time.Time{}
		}
	case n == 6:
		to = w.now.Add(-24 * time.Hour)
	}
	if to.Before(w.now) && !w.over.IsZero() {
		w.over = w.over.Add(to.Sub(w.now))
	}
	w.advance(to)
}

// What can't be started is as quick as what ends at once.
func TestWhatCanNotBeStartedDoesNotSpin(t *testing.T) {
	for name, change := range map[string]func(*Retries){
		"no delay":         func(*Retries) {},
		"no delay at most": func(r *Retries) { r.Delay, r.MaxDelay = seconds(9), 0 },
	} {
		j := Job{Phase: Waiting, Spec: retries(func(r *Retries) { r.NumRuns, r.NumSuccesses = -1, 1; change(r) })}
		now := t0
		for range quickRuns + 1 {
			j, _ = Decide(j, Observation{Now: now, Manager: "m1"})
			j, _ = Decide(j, Observation{Now: now, Manager: "m1", Claim: &Claim{At: now, Void: "it is not there"}})
			if j.Phase != Delayed {
				t.Fatalf("%s: %+v", name, j)
			}
		}
		if gap := j.NextAt.Sub(now); gap != quickPause {
			t.Errorf("%s: the next run starts after %v", name, gap)
		}
	}
}

func TestADelayIsANumberAfterAnyNumberOfRuns(t *testing.T) {
	r := Retries{BackoffBase: 10, JitterRange: seconds(10), MaxDelay: MaxDelay(time.Minute)}
	for n := 1; n < 2000; n++ {
		if d := r.delay(n, 0.9); d != 4*time.Second {
			t.Fatalf("after run %d: %v", n, d)
		}
	}
}

func TestAJobWhoseRunWasKilledIsKilledWhenItsTimeToStartIsOver(t *testing.T) {
	j := Job{
		Phase: Delayed, RunCount: 1, Runs: []Run{{N: 1, Phase: Done, Result: Killed, Reason: ReasonKilled}},
		Spec: retries(func(r *Retries) { r.NumRuns, r.NumSuccesses, r.AbortDatetime = -1, 1, t0 }),
	}
	if j, _ = Decide(j, Observation{Now: t0.Add(time.Second), Manager: "m1"}); j.Result != Killed {
		t.Errorf("%+v", j)
	}
}
