package job

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// world is a make-believe backend with a clock of its own: it carries out what
// Decide asks for, and lets runs end.
type world struct {
	t       testing.TB
	now     time.Time
	random  func() float64
	manager string
	checks  []Check
	watches [][]Watch

	// end says how run n ends, and how long it takes.
	end func(n int) (Exit, time.Duration)

	job   Job
	claim *Claim
	exit  *Exit
	over  time.Time // when the run that is under way ends; zero: there is none
	next  Exit
	unit  UnitState
	steps int
}

func newWorld(t testing.TB, spec Spec, end func(n int) (Exit, time.Duration)) *world {
	if spec.StopSignal == "" {
		spec.StopSignal, spec.StopGrace = "TERM", DefaultStopGrace
	}
	w := &world{
		t: t, now: t0, random: func() float64 { return 0.5 }, manager: "m1", end: end, unit: UnitAbsent,
		job: Job{ID: "00000000-0000-4000-8000-000000000001", Phase: Waiting, SubmittedAt: t0, Spec: spec, Conditions: spec.Wait.Conditions()},
	}
	return w
}

// exits ends each run with the next of the codes, the last one for ever; each
// takes a second and a half.
func exits(codes ...int) func(int) (Exit, time.Duration) {
	return func(n int) (Exit, time.Duration) {
		return Exit{Code: code(codes[min(n, len(codes))-1])}, 1500 * time.Millisecond
	}
}

func (w *world) observe() Observation {
	o := Observation{Now: w.now, Manager: w.manager, Random: w.random(), Checks: w.checks, Watches: w.watches}
	if r := w.job.Last(); r != nil && r.Active() {
		o.Claim, o.Exit, o.Unit = w.claim, w.exit, Unit{State: w.unit}
	}
	return o
}

// step decides and acts until nothing is left to do.
func (w *world) step() {
	for range 20 {
		w.steps++
		was := w.job
		decided, actions := Decide(w.job, w.observe())
		w.lawful(&was, &decided)
		w.job = decided
		if len(actions) == 0 {
			return
		}
		for _, a := range actions {
			w.act(a)
		}
	}
	w.t.Fatalf("the job does not settle: %+v", w.job)
}

func (w *world) act(a Action) {
	switch a {
	case Start:
		if w.unit != UnitAbsent || w.claim != nil {
			w.t.Fatalf("run %d is started twice", w.job.Last().N)
		}
		w.unit = UnitLive
		w.claim = &Claim{PID: 1, InvocationID: "i", At: w.now}
		exit, took := w.end(w.job.Last().N)
		if limit, _ := w.job.RunLimit(w.now); limit > 0 && took > limit {
			exit, took = Exit{Signal: "TERM", ServiceResult: "timeout"}, limit
		}
		w.next, w.over = exit, w.now.Add(took)
	case Stop, Finish:
		w.next = Exit{Signal: "KILL", StopQueued: a == Stop}
		w.over = w.now
		w.advance(w.now)
	case Void:
		if w.claim == nil {
			w.claim = &Claim{At: w.now, Void: "void"}
		}
	}
}

// advance lets time pass, and the run under way end if it ends by then.
func (w *world) advance(to time.Time) {
	w.now = to
	if !w.over.IsZero() && !w.over.After(to) {
		e := w.next
		e.At, e.InvocationID = w.over, "i"
		w.exit, w.unit, w.over = &e, UnitAbsent, time.Time{}
	}
}

// live runs the job to its end, or for at most so many events.
func (w *world) live(events int) {
	for range events {
		w.once()
		if w.job.Completed() {
			return
		}
		w.advance(w.nextEvent())
	}
}

// once is one step after which the records of an ended run are gone.
func (w *world) once() {
	before := w.job.RunCount
	w.steps++
	was := w.job
	decided, actions := Decide(w.job, w.observe())
	w.lawful(&was, &decided)
	w.justified(&was, &decided)
	w.job = decided
	if r := was.Last(); r != nil && r.Active() && !decided.Run(r.N).Active() {
		w.claim, w.exit, w.unit = nil, nil, UnitAbsent
		w.step()
		return
	}
	for _, a := range actions {
		w.act(a)
	}
	if w.job.RunCount != before || len(actions) > 0 {
		w.steps++
	}
}

// nextEvent is when something happens next.
func (w *world) nextEvent() time.Time {
	switch {
	case !w.over.IsZero():
		return w.over
	case !w.job.NextAt.IsZero():
		if w.job.NextAt.After(w.now) {
			return w.job.NextAt
		}
		return w.now
	}
	w.t.Fatalf("nothing will ever happen: %+v", w.job)
	return w.now
}

// justified holds the end of a wait against what was seen at that moment, and
// against how long it was seen.
func (w *world) justified(was, is *Job) {
	if !was.MetAt.IsZero() || is.MetAt.IsZero() || len(is.Conditions) == 0 {
		return
	}
	holds := func(i int) bool {
		c := is.Conditions[i]
		if c.Kind.Timed() {
			return !w.now.Before(is.DueAt(c))
		}
		return w.checks[i].Met && w.checks[i].At.Equal(w.now)
	}
	spec := is.Spec.Wait
	met, all := 0, 0
	count := func(so bool) {
		if all++; so {
			met++
		}
	}
	for i, c := range is.Conditions {
		if c.Sensor == 0 {
			count(holds(i))
		}
	}
	for n, s := range spec.Sensor {
		inner := 0
		for i, c := range is.Conditions {
			if c.Sensor == n+1 && holds(i) {
				inner++
			}
		}
		since := is.Held[n]
		count((inner == len(s.Targets) || s.Any && inner > 0) && !since.IsZero() && w.now.Sub(since) >= time.Duration(s.Delay))
	}
	if met < all && (!spec.Any || met == 0) {
		w.t.Fatalf("the wait is over at %v, and %d of %d hold:\n%+v\n%+v", w.now, met, all, was, is)
	}
}

// lawful holds a decision against the laws that hold for all of them.
func (w *world) lawful(was, is *Job) {
	if why := unlawful(was, is); why != "" {
		w.t.Fatalf("%s:\n%+v\n%+v", why, was, is)
	}
}

func unlawful(was, is *Job) string {
	r := &is.Spec.Retries
	switch {
	case was.Completed() && !reflect.DeepEqual(was, is):
		return "a completed job moved"
	case is.RunCount < was.RunCount || is.SuccessCount < was.SuccessCount || is.FailureCount < was.FailureCount:
		return "a counter went back"
	case r.NumRuns > 0 && is.RunCount-is.Uncounted > r.NumRuns:
		return "more runs than allowed"
	case r.NumSuccesses > 0 && is.SuccessCount > r.NumSuccesses:
		return "more successes than asked for"
	case r.NumFailures > 0 && is.FailureCount > r.NumFailures:
		return "more failures than allowed"
	case is.RunCount > was.RunCount+1:
		return "two runs at once"
	case is.SuccessCount+is.FailureCount > is.RunCount:
		return "more results than runs"
	case is.Completed() && (is.Result == "" || is.Reason == "" || is.Message == "" || is.StoppedAt.IsZero() || !is.NextAt.IsZero()):
		return "a completed job says not how"
	case is.Completed() && is.Last() != nil && is.Last().Active():
		return "a completed job has an active run"
	case (is.Phase == Delayed) && is.NextAt.IsZero():
		return "a delayed job has no next time"
	case is.RunCount > was.RunCount && was.Kill != nil:
		return "a run was intended after a kill"
	case is.RunCount > was.RunCount && !r.AbortDatetime.IsZero() && is.RunCount > 1 && is.Last().IntendedAt.After(r.AbortDatetime):
		return "a run was intended after retries.abort-datetime"
	case is.RunCount == 1 && was.RunCount == 0 && !is.Spec.Wait.AbortDatetime.IsZero() && !is.Last().IntendedAt.Before(is.Spec.Wait.AbortDatetime):
		return "the first run was intended after wait.abort-datetime"
	}
	return ""
}

func (w *world) String() string {
	j := &w.job
	return fmt.Sprintf("%s/%s after %d runs (%d+ %d-), %s", j.Result, j.Reason, j.RunCount, j.SuccessCount, j.FailureCount, j.StoppedAt.Sub(t0))
}
