package job

import (
	"testing"
	"time"
)

func waitFor(change func(*Wait)) Spec {
	s := retries(func(*Retries) {})
	change(&s.Wait)
	return s
}

// When a job's first run is intended, or how it ends without one. The checks are
// those of the conditions in the order of Wait.Conditions, from a second on.
func TestWaiting(t *testing.T) {
	second := seconds(1)
	minute := seconds(60)
	file := func(w *Wait) { w.File = []Text{"/f"} }
	for _, c := range []struct {
		name   string
		wait   func(*Wait)
		met    map[int]time.Duration // by condition: when it comes to hold
		lost   map[int]time.Duration // by condition: when it can't any more
		start  time.Duration         // of the first run; -1: never
		reason Reason
	}{
		{"for nothing", func(*Wait) {}, nil, nil, 0, ""},
		{"for a moment", func(w *Wait) { w.Datetime = t0.Add(5 * time.Second) }, nil, nil, 5 * time.Second, ""},
		{"for a moment that is past", func(w *Wait) { w.Datetime = t0.Add(-time.Hour) }, nil, nil, 0, ""},
		{"for a while", func(w *Wait) { w.Timedelta = &minute }, nil, nil, time.Minute, ""},
		{"for both: the later counts", func(w *Wait) { w.Timedelta, w.Datetime = &minute, t0.Add(5*time.Second) }, nil, nil, time.Minute, ""},
		{"for either: the earlier counts", func(w *Wait) { w.Timedelta, w.Datetime, w.Any = &minute, t0.Add(5*time.Second), true }, nil, nil, 5 * time.Second, ""},
		{"for a while and then some", func(w *Wait) { w.Timedelta, w.ExtraDelay = &second, minute }, nil, nil, 61 * time.Second, ""},
		{"for nothing and then some", func(w *Wait) { w.ExtraDelay = second }, nil, nil, time.Second, ""},
		{"for a file", file, map[int]time.Duration{0: 7 * time.Second}, nil, 7 * time.Second, ""},
		{"for a file and a while", func(w *Wait) { file(w); w.Timedelta = &minute }, map[int]time.Duration{1: time.Second}, nil, time.Minute, ""},
		{"for a file or a while", func(w *Wait) { file(w); w.Timedelta, w.Any = &minute, true }, map[int]time.Duration{1: 3 * time.Second}, nil, 3 * time.Second, ""},
		{"for a script, at the next poll", func(w *Wait) { w.Script, w.PollInterval = []Text{"/s"}, seconds(10) }, map[int]time.Duration{0: 12 * time.Second}, nil, 20 * time.Second, ""},
		{"for a script that was met, and a file: the script is asked again at once", func(w *Wait) {
			file(w)
			w.Script, w.PollInterval = []Text{"/s"}, minute
		}, map[int]time.Duration{0: 7 * time.Second, 1: 0}, nil, 7 * time.Second, ""},
		{"for a script that was met, and is no more when the file comes", func(w *Wait) {
			file(w)
			w.Script, w.PollInterval = []Text{"/s"}, minute
		}, map[int]time.Duration{0: 7 * time.Second, 1: 0}, map[int]time.Duration{1: 5 * time.Second}, -1, ""},
		{"in vain", func(w *Wait) { file(w); w.AbortDatetime = t0.Add(9 * time.Second) }, nil, nil, -1, ReasonWaitAbort},
		{"too long, with the extra delay", func(w *Wait) {
			w.Timedelta, w.ExtraDelay, w.AbortDatetime = &second, minute, t0.Add(9*time.Second)
		}, nil, nil, -1, ReasonWaitAbort},
		{"for a job that failed", func(w *Wait) { w.Job = []string{"x:success"} }, nil, map[int]time.Duration{0: 4 * time.Second}, -1, ReasonWaitImpossible},
		{"for a job that failed, or a while", func(w *Wait) {
			w.Job, w.Timedelta, w.Any = []string{"x:success"}, &minute, true
		}, nil, map[int]time.Duration{1: 4 * time.Second}, time.Minute, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, waitFor(c.wait), exits(0))
			for tick := 0; tick <= 100 && w.job.RunCount == 0 && !w.job.Completed(); tick++ {
				since := time.Duration(tick) * time.Second
				w.now = t0.Add(since)
				w.checks = make([]Check, len(w.job.Conditions))
				look := func(i int) {
					met, comes := c.met[i]
					lost, goes := c.lost[i]
					w.checks[i] = Check{At: w.now, Met: comes && since >= met && (!goes || since < lost)}
					w.checks[i].Impossible = w.job.Conditions[i].Kind == KindJob && goes && since >= lost
				}
				for i, cond := range w.job.Conditions {
					if !cond.Kind.Polled() {
						look(i)
					}
				}
				for i, due := range w.job.PollsDue(w.observe()) {
					if due {
						look(i)
					}
				}
				w.once()
			}
			switch {
			case c.start < 0 && w.job.RunCount != 0:
				t.Errorf("a run was intended after %v", w.job.Last().IntendedAt.Sub(t0))
			case c.start >= 0 && w.job.RunCount == 0:
				t.Errorf("no run was intended: %+v", w.job)
			case c.start >= 0 && w.job.Last().IntendedAt.Sub(t0) != c.start:
				t.Errorf("the run was intended after %v, not %v", w.job.Last().IntendedAt.Sub(t0), c.start)
			case w.job.RunCount == 0 && w.job.Reason != c.reason:
				t.Errorf("reason %q, want %q", w.job.Reason, c.reason)
			}
		})
	}
}

func TestWhatIsArmed(t *testing.T) {
	w := newWorld(t, waitFor(func(w *Wait) { w.File, w.Datetime = []Text{"/f", "/g"}, t0.Add(time.Hour) }), exits(0))
	w.checks = []Check{{}, {At: t0}, {At: t0}}
	w.watches = [][]Watch{nil, {{"PathExists", "/f"}}, {{"PathExists", "/g"}}}
	arms := func() []Action {
		decided, actions := Decide(w.job, w.observe())
		w.job = decided
		return actions
	}
	if a := arms(); len(a) != 1 || a[0] != Arm || w.job.Armed.Rev != 1 || !w.job.Armed.At.Equal(t0.Add(time.Hour)) || len(w.job.Armed.Watches) != 2 {
		t.Fatalf("got %v, %+v", a, w.job.Armed)
	}
	if a := arms(); len(a) != 0 {
		t.Fatalf("armed already, but %v", a)
	}
	w.checks[1].Met = true
	if a := arms(); len(a) != 1 || w.job.Armed.Rev != 2 || len(w.job.Armed.Watches) != 1 {
		t.Fatalf("a file that is there is still watched: %v, %+v", a, w.job.Armed)
	}
	w.manager = "m2"
	if a := arms(); len(a) != 1 || w.job.Armed.Rev != 3 {
		t.Fatalf("another manager knows nothing: %v, %+v", a, w.job.Armed)
	}
	if err := w.job.RequestKill(0, &Kill{At: t0, Signal: "TERM", Until: t0}); err != nil {
		t.Fatal(err)
	}
	if a := arms(); len(a) != 1 || a[0] != Disarm || w.job.Result != Killed {
		t.Fatalf("got %v, %+v", a, w.job)
	}
}

func TestMoments(t *testing.T) {
	zone := time.FixedZone("", 3600)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, zone)
	for text, want := range map[string]time.Time{
		"2026-11-23T08:00:00Z":      time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC),
		"2026-11-23T08:00:00+01:00": time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC),
		"2026-11-23 08:00":          time.Date(2026, 11, 23, 8, 0, 0, 0, zone),
		"2026-11-23 08:00:30":       time.Date(2026, 11, 23, 8, 0, 30, 0, zone),
		"13:30":                     time.Date(2026, 11, 23, 13, 30, 0, 0, zone),
		"08:00":                     time.Date(2026, 11, 24, 8, 0, 0, 0, zone),
		"12:00":                     time.Date(2026, 11, 24, 12, 0, 0, 0, zone),
		"tomorrow 13:30":            time.Date(2026, 11, 24, 13, 30, 0, 0, zone),
		"+1h30m":                    now.Add(90 * time.Minute),
		"+90":                       now.Add(90 * time.Second),
		"@1795420800":               time.Unix(1795420800, 0),
		"@1.5":                      time.Unix(1, 500_000_000),
	} {
		got, err := ParseMoment(text, now)
		if err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "soon", "25:00", "2026-13-01 08:00", "+", "+x", "@", "@x", "@-1", "-10m", "tomorrow", "2026-11-23"} {
		if got, err := ParseMoment(text, now); err == nil {
			t.Errorf("%q was taken for %v", text, got)
		}
	}
}

func TestCodes(t *testing.T) {
	c, err := ParseCodes(" 0, 10-19,255")
	if err != nil || c.String() != "0,10-19,255" {
		t.Fatalf("%v, %v", c, err)
	}
	for n, want := range map[int]bool{0: true, 1: false, 9: false, 10: true, 19: true, 20: false, 255: true} {
		if c.Contain(n) != want {
			t.Errorf("%d: %t", n, !want)
		}
	}
	for _, text := range []string{"256", "-1", "5-3", "a", "1,", "1-", "0x1"} {
		if c, err := ParseCodes(text); err == nil {
			t.Errorf("%q was taken for %v", text, c)
		}
	}
}

// Whoever may not check a script must not rely on what another found earlier.
func TestAnOldCheckProvesNothing(t *testing.T) {
	w := newWorld(t, waitFor(func(w *Wait) { w.File, w.Script, w.PollInterval = []Text{"/f"}, []Text{"/s"}, seconds(60) }), exits(0))
	w.checks = []Check{{At: t0}, {At: t0, Met: true}}
	w.once()
	w.now = t0.Add(time.Second)
	w.checks = []Check{{At: w.now, Met: true}, {}}
	w.once()
	if w.job.RunCount != 0 || !w.job.MetAt.IsZero() {
		t.Fatalf("it starts: %+v", w.job)
	}
	w.checks[1] = Check{At: w.now, Met: true}
	w.once()
	if w.job.RunCount != 1 {
		t.Fatalf("it does not start: %+v", w.job)
	}
}

// The extra delay counts from the moment, not from when somebody noticed.
func TestTheExtraDelayCountsFromTheMoment(t *testing.T) {
	second := seconds(1)
	w := newWorld(t, waitFor(func(w *Wait) { w.Timedelta, w.ExtraDelay = &second, seconds(10) }), exits(0))
	w.now = t0.Add(3 * time.Second)
	w.once()
	if want := t0.Add(11 * time.Second); !w.job.NextAt.Equal(want) {
		t.Fatalf("due at %v, want %v", w.job.NextAt, want)
	}
}

// A path unit sees one change, and is armed anew then. Where there is no end of changes
// that mean nothing, the watcher has it.
func TestABusyDirectoryIsTheWatchers(t *testing.T) {
	w := newWorld(t, waitFor(func(w *Wait) { w.File = []Text{"/d/*/f"} }), exits(0))
	w.checks = []Check{{At: t0}}
	w.watches = [][]Watch{{{PathChanged, "/d"}}}
	arm := func(pause time.Duration, changed bool) Armed {
		w.now = w.now.Add(pause)
		o := w.observe()
		o.Changed, o.Unarmed = changed, changed
		w.job, _ = Decide(w.job, o)
		return w.job.Armed
	}
	arm(0, false)
	for range 10 {
		if a := arm(time.Minute, true); a.Watcher {
			t.Fatalf("a change a minute: %+v", a)
		}
	}
	for i := range idleChanges {
		if a := arm(time.Second, true); a.Watcher != (i == idleChanges-1) {
			t.Fatalf("change %d of many: %+v", i+1, a)
		}
	}
	was := w.job.Armed.Rev
	if a := arm(time.Minute, false); !a.Watcher || a.Rev != was {
		t.Errorf("it stays so: %+v", a)
	}
	w.manager = "m2"
	if a := arm(time.Minute, false); a.Watcher || a.Rev == was {
		t.Errorf("another manager's path unit is tried: %+v", a)
	}
}

// Beside its next check a job that polls is armed for whatever moment matters, which
// may come while a check hangs.
func TestAMomentDuringACheck(t *testing.T) {
	minute := seconds(60)
	w := newWorld(t, waitFor(func(w *Wait) {
		w.Script, w.PollInterval, w.Timedelta, w.Any = []Text{"/s"}, seconds(10), &minute, true
		w.AbortDatetime = t0.Add(2 * time.Minute)
	}), exits(0))
	w.checks = []Check{{}, {}}
	w.once()
	if a := w.job.Armed; !a.Poll.Equal(t0) || !a.At.Equal(t0.Add(time.Minute)) {
		t.Fatalf("armed is %+v", a)
	}
	w.now = t0.Add(time.Minute)
	if w.job.PollsDue(w.observe()) != nil {
		t.Error("the script is asked although the job starts without it")
	}
	w.now = t0.Add(2 * time.Minute)
	if w.job.PollsDue(w.observe()) != nil {
		t.Error("the script is asked although the job's time is over")
	}
}

// Who may not wait for a check has it done at once by who may, where it is the last
// thing that is missing.
func TestTheLastCheckComesAtOnce(t *testing.T) {
	w := newWorld(t, waitFor(func(w *Wait) { w.File, w.Script, w.PollInterval = []Text{"/f"}, []Text{"/s"}, seconds(60) }), exits(0))
	w.checks = []Check{{At: t0}, {At: t0, Met: true}}
	w.once()
	if poll := w.job.Armed.Poll; !poll.Equal(t0.Add(time.Minute)) {
		t.Fatalf("the next check is at %v", poll)
	}
	w.now = t0.Add(time.Second)
	w.checks = []Check{{At: w.now, Met: true}, {}}
	w.once()
	rev := w.job.Armed.Rev
	if w.job.Armed.Poll.After(w.now) {
		t.Errorf("the file came, and the script is asked at %v", w.job.Armed.Poll)
	}
	w.now = t0.Add(2 * time.Second)
	if w.once(); w.job.Armed.Rev != rev {
		t.Errorf("it is armed again and again: %+v", w.job.Armed)
	}
}

// The clock is set back during the delay of a sensor, long after the job was submitted.
func TestAClockThatIsSetBackInASensorsDelay(t *testing.T) {
	w := newWorld(t, waitFor(func(w *Wait) {
		w.Sensor = []Sensor{{Name: "s", Kind: KindFile, Targets: []Text{"/f"}, Delay: seconds(60)}}
	}), exits(0))
	w.checks = []Check{{At: t0}}
	w.once()
	w.now = t0.Add(48 * time.Hour)
	w.checks = []Check{{At: w.now, Met: true}}
	w.once()
	w.now = w.now.Add(-24 * time.Hour)
	if !w.job.SetBack(w.now) {
		t.Error("nobody notices")
	}
	w.once()
	if w.job.SetBack(w.now) || !w.job.NextAt.Equal(w.now.Add(time.Minute)) {
		t.Errorf("it is due in %v", w.job.NextAt.Sub(w.now))
	}
}
