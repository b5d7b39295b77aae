package main

import (
	"testing"
	"time"

	"jobman/events"
)

func TestEventsOfAJobAndItsRunsAreMergedByTime(t *testing.T) {
	at := func(ms int64, what string, fields ...events.Field) events.Event {
		return events.Event{Time: time.UnixMilli(ms), What: what, Fields: fields}
	}
	job := withRun([]events.Event{at(1, "submitted"), at(3, "run-ended", events.Field{Key: "run", Value: "1"}), at(5, "completed")}, 0)
	run := withRun([]events.Event{at(1, "exec"), {Text: "panic"}, at(4, "late")}, 1)
	got := ""
	for _, e := range byTime([][]told{job, run}) {
		got += e.What + e.Text + " "
		if wantRun := 1; e.What != "submitted" && e.What != "completed" && e.run != wantRun {
			t.Errorf("%s is of run %d, want %d", e.What+e.Text, e.run, wantRun)
		}
	}
	if want := "submitted exec panic run-ended late completed "; got != want {
		t.Errorf("the order is %q, want %q", got, want)
	}
}

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		given          common
		stderr, events events.Level
	}{
		{common{}, events.Warn, events.Info},
		{common{Quiet: true}, events.Error, events.Error},
		{common{Verbose: true}, events.Info, events.Debug},
		{common{LogLevel: "debug", Quiet: true}, events.Debug, events.Debug},
		{common{LogLevel: "warn"}, events.Warn, events.Warn},
	} {
		a := app{common: c.given}
		if a.level() != c.stderr || a.eventLevel() != c.events {
			t.Errorf("%+v: %v on stderr and events from %v, want %v and %v", c.given, a.level(), a.eventLevel(), c.stderr, c.events)
		}
	}
}
