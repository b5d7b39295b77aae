package job

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"
)

var (
	t0  = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	now = t0.Add(time.Minute)
)

func code(n int) *int { return &n }

// started is a job whose run 1 was intended at t0.
func started() Job {
	return Job{
		ID: "00000000-0000-4000-8000-000000000001", Phase: Starting, RunCount: 1,
		Spec: Spec{StopSignal: "TERM", StopGrace: DefaultStopGrace},
		Runs: []Run{{N: 1, Phase: Starting, Manager: "m1", IntendedAt: t0}},
	}
}

func killed_(j Job) Job {
	j.Kill = &Kill{At: t0.Add(30 * time.Second), Signal: "TERM", Until: t0.Add(40 * time.Second)}
	return j
}

func TestANewJobIntendsItsFirstRun(t *testing.T) {
	j, actions := Decide(Job{Phase: Waiting}, Observation{Now: now, Manager: "m1"})
	want := Run{N: 1, Phase: Starting, Manager: "m1", IntendedAt: now, Sink: SinkFile, SinkWhy: "both streams are discarded"}
	if j.Phase != Starting || j.RunCount != 1 || !reflect.DeepEqual(j.Runs, []Run{want}) || !slices.Equal(actions, []Action{Start}) {
		t.Fatalf("got %+v, %v", j, actions)
	}
}

func TestAJobIsNotStartedWithoutKnowingForWhichManager(t *testing.T) {
	j, actions := Decide(Job{Phase: Waiting}, Observation{Now: now})
	if j.RunCount != 0 || !slices.Equal(actions, []Action{Ask}) {
		t.Fatalf("got %+v, %v", j, actions)
	}
}

func TestARunIsNotStartedAgainForEver(t *testing.T) {
	j := started()
	o := Observation{Now: now, Manager: "m1", Unit: Unit{State: UnitDead, Main: &Exit{Code: code(219)}}}
	for range maxRestarts {
		var actions []Action
		if j, actions = Decide(j, o); !slices.Equal(actions, []Action{Forget, Start}) {
			t.Fatalf("got %+v, %v", j, actions)
		}
	}
	if _, actions := Decide(j, o); !slices.Equal(actions, []Action{Void}) {
		t.Fatalf("got %v", actions)
	}
}

// The table of "exactly once": what records, unit and kill together mean.
func TestWhatIsMadeOfAnActiveRun(t *testing.T) {
	claim := &Claim{PID: 7, InvocationID: "i1", At: t0.Add(time.Second)}
	void := &Claim{At: t0.Add(time.Second), Void: "why"}
	voided := &Claim{At: t0.Add(31 * time.Second), Void: "why"}
	end := t0.Add(50 * time.Second)
	exit := func(change func(*Exit)) *Exit {
		e := &Exit{InvocationID: "i1", At: end}
		change(e)
		return e
	}
	code0 := exit(func(e *Exit) { e.Code = code(0) })
	code7 := exit(func(e *Exit) { e.Code = code(7) })
	sigterm := exit(func(e *Exit) { e.Signal = "TERM" })

	for _, c := range []struct {
		name    string
		killed  bool
		o       Observation
		phase   Phase
		result  Result
		reason  Reason
		actions []Action
	}{
		{"nothing is known yet", false, Observation{}, Starting, "", "", []Action{Ask}},
		{"it was executed, and the unit wasn't asked", false, Observation{Claim: claim}, Running, "", "", []Action{Ask}},
		{"it runs", false, Observation{Claim: claim, Unit: Unit{State: UnitLive}}, Running, "", "", nil},
		{"its supervisor was killed, and it goes on", false, Observation{Claim: claim, Unit: Unit{State: UnitStray}}, Running, "", "", []Action{Finish, Ask}},
		{"it is about to run", false, Observation{Unit: Unit{State: UnitLive}}, Starting, "", "", nil},
		{"it runs and is to be killed", true, Observation{Claim: claim, Unit: Unit{State: UnitLive}}, Stopping, "", "", []Action{Stop}},
		{"it runs, is being stopped, and its grace is over", true, Observation{Claim: claim, Unit: Unit{State: UnitLive, Stopping: true}}, Stopping, "", "", []Action{Stop}},
		{"it runs and is being stopped", true, Observation{Now: t0.Add(31 * time.Second), Claim: claim, Unit: Unit{State: UnitLive, Stopping: true}}, Stopping, "", "", nil},
		{"it never started", false, Observation{Unit: Unit{State: UnitAbsent}, Manager: "m1"}, Starting, "", "", []Action{Start}},
		{"it never started and is to be killed", true, Observation{Unit: Unit{State: UnitAbsent}}, Starting, "", "", []Action{Void}},
		{"its unit failed before it was executed", false, Observation{Unit: Unit{State: UnitDead}}, Starting, "", "", []Action{Void}},
		{"its time is over by a clock that was set, not by the manager's", false, Observation{Now: t0.Add(2 * time.Hour), Claim: claim, Unit: Unit{State: UnitLive}}, Running, "", "", nil},
		{"its slice was going down when its unit was started", false,
			Observation{Manager: "m2", Unit: Unit{State: UnitDead, Main: exit(func(e *Exit) { e.Code = code(219) })}}, Starting, "", "", []Action{Forget, Start}},
		{"and it is to be killed", true,
			Observation{Unit: Unit{State: UnitDead, Main: exit(func(e *Exit) { e.Code = code(219) })}}, Starting, "", "", []Action{Void}},
		{"a command ends with the same code", false,
			Observation{Claim: claim, Unit: Unit{State: UnitDead, Main: exit(func(e *Exit) { e.Code = code(219) })}}, Done, Failure, ReasonExit, []Action{Forget}},
		{"it was voided", false, Observation{Claim: void}, Done, Failure, ReasonStartFailed, nil},
		{"it was voided by a kill", true, Observation{Claim: voided}, Done, Killed, ReasonKilled, nil},
		{"it was voided before the kill", true, Observation{Claim: void}, Done, Failure, ReasonStartFailed, nil},

		{"it succeeded", false, Observation{Claim: claim, Exit: code0}, Done, Success, ReasonExit, nil},
		{"it failed", false, Observation{Claim: claim, Exit: code7}, Done, Failure, ReasonExit, nil},
		{"it died of a signal", false, Observation{Claim: claim, Exit: sigterm}, Done, Failure, ReasonSignal, nil},
		{"it could not be executed after its claim", false,
			Observation{Claim: claim, Exit: exit(func(e *Exit) { e.Code, e.StartError = code(1), "no" })}, Done, Failure, ReasonStartFailed, nil},
		{"it ran out of memory", false,
			Observation{Claim: claim, Exit: exit(func(e *Exit) { e.Signal, e.ServiceResult = "KILL", "oom-kill" })}, Done, Failure, ReasonOOM, []Action{Forget}},
		{"it is gone without a word", false, Observation{Claim: claim, Unit: Unit{State: UnitAbsent}}, Done, Failure, ReasonLost, nil},
		{"only the manager knows its end", false,
			Observation{Claim: claim, Unit: Unit{State: UnitDead, Main: code7}}, Done, Failure, ReasonExit, []Action{Forget}},
		{"the manager remembers another execution", false,
			Observation{Claim: claim, Unit: Unit{State: UnitDead, Main: &Exit{InvocationID: "i2", At: end, Code: code(0)}}}, Done, Failure, ReasonLost, []Action{Forget}},

		{"the kill ended it", true, Observation{Claim: claim, Exit: sigterm}, Done, Killed, ReasonKilled, nil},
		{"the kill made it exit with 0", true,
			Observation{Claim: claim, Exit: exit(func(e *Exit) { e.Code, e.StopQueued = code(0), true })}, Done, Killed, ReasonKilled, nil},
		{"only the manager knows its end, not who asked for it", true,
			Observation{Claim: claim, Unit: Unit{State: UnitDead, Main: exit(func(e *Exit) { e.Code, e.StopUnknown = code(0), true })}}, Done, Killed, ReasonKilled, []Action{Forget}},
		{"only the manager knows its end, before the kill", true,
			Observation{Claim: claim, Unit: Unit{State: UnitDead, Main: &Exit{InvocationID: "i1", At: t0.Add(29 * time.Second), Code: code(0), StopUnknown: true}}}, Done, Success, ReasonExit, []Action{Forget}},
		{"it ended by itself before the kill", true,
			Observation{Claim: claim, Exit: &Exit{At: t0.Add(29 * time.Second), Code: code(0)}}, Done, Success, ReasonExit, nil},
		{"it ended by itself after the kill was committed", true, Observation{Claim: claim, Exit: code7}, Done, Failure, ReasonExit, nil},
		{"a shutdown ended it", false,
			Observation{Claim: claim, Exit: exit(func(e *Exit) { e.Code, e.StopQueued, e.ManagerStopping = code(0), true, true })}, Done, Failure, ReasonLost, nil},
		{"an operator stopped it", false,
			Observation{Claim: claim, Exit: exit(func(e *Exit) { e.Signal, e.StopQueued = "TERM", true })}, Done, Failure, ReasonSignal, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := started()
			if c.killed {
				before = killed_(before)
			}
			if c.o.Now.IsZero() {
				c.o.Now = now
			}
			j, actions := Decide(before, c.o)
			if j.Phase != c.phase || j.Result != c.result || j.Reason != c.reason || !slices.Equal(actions, c.actions) {
				t.Fatalf("got %v %q %q %v, want %v %q %q %v", j.Phase, j.Result, j.Reason, actions, c.phase, c.result, c.reason, c.actions)
			}
			if j.Phase == Done && (j.StoppedAt.IsZero() || j.Last().Phase != Done) {
				t.Fatalf("a completed job has an end and no active run: %+v", j)
			}
			if before.Runs[0].Phase != Starting {
				t.Fatal("Decide changed the job it was given")
			}
			again, _ := Decide(j, c.o)
			if j.Phase == Done && !reflect.DeepEqual(again, j) {
				t.Fatalf("a completed job moved: %+v", again)
			}
		})
	}
}

func TestAManagerThatNeverSawTheRunStartsIt(t *testing.T) {
	j, actions := Decide(started(), Observation{Now: now, Manager: "m2", Unit: Unit{State: UnitAbsent}})
	if !slices.Equal(actions, []Action{Start}) || j.Last().Manager != "m2" || j.RunCount != 1 {
		t.Fatalf("got %+v, %v", j, actions)
	}
}

func TestASecondKillIsAtLeastAsUrgentAndKeepsTheTimeOfTheFirst(t *testing.T) {
	j := started()
	first := &Kill{At: t0, Signal: "TERM", Until: t0.Add(time.Minute)}
	second := &Kill{At: now, Signal: "KILL", Until: now}
	for _, k := range []*Kill{first, second} {
		if err := j.RequestKill(0, k); err != nil {
			t.Fatal(err)
		}
	}
	if want := (Kill{At: t0, Signal: "KILL", Until: now}); *j.Kill != want {
		t.Fatalf("got %+v, want %+v", *j.Kill, want)
	}
	if err := j.RequestKill(0, &Kill{At: now, Signal: "TERM", Until: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if !j.Kill.Until.Equal(now) {
		t.Fatalf("a later kill put the end off to %s", j.Kill.Until)
	}
}

func TestKillOfARun(t *testing.T) {
	j := started()
	k := &Kill{At: now, Signal: "TERM", Until: now}
	if err := j.RequestKill(2, k); !errors.Is(err, ErrNoRun) {
		t.Errorf("a run that is not there: %v", err)
	}
	if err := j.RequestKill(1, k); err != nil || j.Kill != nil || j.Killing() == nil {
		t.Errorf("the active run: %v, %+v", err, j)
	}
	j.Runs[0].Phase = Done
	if err := j.RequestKill(1, k); !errors.Is(err, ErrRunOver) {
		t.Errorf("a run that is over: %v", err)
	}
}
