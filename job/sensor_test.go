package job

import (
	"testing"
	"time"
)

// When a job's first run is intended that waits for sensors. Conditions are numbered
// as in Wait.Conditions; they hold from the one second to the other, which -1 leaves
// open.
func TestWaitingForSensors(t *testing.T) {
	type span struct{ from, to int }
	file := func(change func(*Sensor)) Sensor {
		s := Sensor{Name: "s", Kind: KindFile, Targets: []Text{"/a", "/b"}}
		change(&s)
		return s
	}
	script := Sensor{Name: "polled", Kind: KindScript, Targets: []Text{"/s"}, PollInterval: seconds(10), Delay: seconds(3)}
	for _, c := range []struct {
		name  string
		wait  func(*Wait)
		holds map[int]span
		start int // seconds; -1: not within 100
	}{
		{"all of its own", func(w *Wait) { w.Sensor = []Sensor{file(func(*Sensor) {})} }, map[int]span{0: {2, -1}, 1: {5, -1}}, 5},
		{"one of its own", func(w *Wait) { w.Sensor = []Sensor{file(func(s *Sensor) { s.Any = true })} }, map[int]span{0: {2, -1}, 1: {5, -1}}, 2},
		{"and its delay", func(w *Wait) { w.Sensor = []Sensor{file(func(s *Sensor) { s.Delay = seconds(30) })} }, map[int]span{0: {2, -1}, 1: {5, -1}}, 35},
		{"which begins anew when it holds no longer", func(w *Wait) {
			w.Sensor = []Sensor{file(func(s *Sensor) { s.Targets, s.Delay = []Text{"/a"}, seconds(30) })}
		}, map[int]span{0: {2, 20}}, -1},
		{"its any is its own: both sensors must be met", func(w *Wait) {
			w.Sensor = []Sensor{file(func(s *Sensor) { s.Any = true }), file(func(s *Sensor) { s.Targets = []Text{"/c"} })}
		}, map[int]span{0: {2, -1}, 2: {9, -1}}, 9},
		{"the job's any: one sensor, or a condition, is enough", func(w *Wait) {
			w.Any, w.File = true, []Text{"/x"}
			w.Sensor = []Sensor{file(func(*Sensor) {}), file(func(s *Sensor) { s.Targets, s.Delay = []Text{"/c"}, seconds(2) })}
		}, map[int]span{1: {1, -1}, 3: {4, -1}}, 6},
		{"beside a condition", func(w *Wait) { w.File, w.Sensor = []Text{"/x"}, []Sensor{file(func(*Sensor) {})} }, map[int]span{0: {8, -1}, 1: {2, -1}, 2: {5, -1}}, 8},
		{"a while, and its delay", func(w *Wait) {
			w.Sensor = []Sensor{{Name: "t", Kind: KindTimedelta, Targets: []Text{"10s"}, Delay: seconds(5)}}
		}, nil, 15},
		{"a moment", func(w *Wait) {
			w.Sensor = []Sensor{{Name: "t", Kind: KindDatetime, Targets: []Text{Text(t0.Add(7 * time.Second).Format(time.RFC3339Nano))}}}
		}, nil, 7},
		{"what is polled, at its own interval and once more after the delay", func(w *Wait) { w.Sensor = []Sensor{script} }, map[int]span{0: {12, -1}}, 23},
		{"what is polled, and is gone when the delay is over", func(w *Wait) { w.Sensor = []Sensor{script} }, map[int]span{0: {12, 22}}, -1},
		{"two intervals", func(w *Wait) {
			w.Script, w.PollInterval = []Text{"/slow"}, seconds(40)
			w.Sensor = []Sensor{script}
		}, map[int]span{0: {39, -1}, 1: {1, -1}}, 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, waitFor(c.wait), exits(0))
			w.manager = "m"
			for tick := 0; tick <= 100 && w.job.RunCount == 0; tick++ {
				w.now = t0.Add(time.Duration(tick) * time.Second)
				w.checks = make([]Check, len(w.job.Conditions))
				look := func(i int) {
					s, ever := c.holds[i]
					w.checks[i] = Check{At: w.now, Met: ever && tick >= s.from && (s.to < 0 || tick < s.to)}
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
			got := -1
			if w.job.RunCount > 0 {
				got = int(w.job.Last().IntendedAt.Sub(t0) / time.Second)
			}
			if got != c.start {
				t.Errorf("the run was intended after %d s, not %d", got, c.start)
			}
		})
	}
}

// A job is stepped when its sensors may be met, and not before something can have
// changed.
func TestASensorIsDueWhenItsDelayIsOver(t *testing.T) {
	w := newWorld(t, waitFor(func(w *Wait) {
		w.Sensor = []Sensor{{Name: "s", Kind: KindFile, Targets: []Text{"/a"}, Delay: seconds(30)}}
	}), exits(0))
	w.now = t0.Add(5 * time.Second)
	w.checks = []Check{{At: w.now, Met: true}}
	w.watches = [][]Watch{{{"PathExists", "/a"}}}
	w.once()
	if want := t0.Add(35 * time.Second); !w.job.NextAt.Equal(want) || len(w.job.Armed.Watches) != 0 {
		t.Fatalf("due at %v, want %v; armed %+v", w.job.NextAt, want, w.job.Armed)
	}
}
