package job

import "testing"

func TestASinkIsChosenAndExplained(t *testing.T) {
	runs := Journald{Runs: true, Why: "journald answers"}
	none := Journald{Why: "there is no journald"}
	for _, c := range []struct {
		asked   Sink
		found   Journald
		want    Sink
		wantWhy string
	}{
		{"", runs, SinkBoth, "journald answers"},
		{SinkAuto, runs, SinkBoth, "journald answers"},
		{SinkAuto, none, SinkFile, "there is no journald"},
		{SinkBoth, runs, SinkBoth, "log.sink asks for it"},
		{SinkBoth, none, SinkFile, "log.sink asks for both, but there is no journald"},
		{SinkFile, runs, SinkFile, "log.sink asks for it"},
		{SinkFile, none, SinkFile, "log.sink asks for it"},
		{SinkJournal, runs, SinkJournal, "log.sink asks for it"},
		{SinkJournal, none, SinkFile, "log.sink asks for journal, but there is no journald"},
	} {
		for _, kept := range []Log{{Stdout: true, Stderr: true}, {Stdout: true}, {Stderr: true}} {
			kept.Sink = c.asked
			if got, why := kept.Choose(c.found); got != c.want || why != c.wantWhy {
				t.Errorf("%q, %+v: %s because %q, want %s because %q", c.asked, c.found, got, why, c.want, c.wantWhy)
			}
		}
		discard := Log{Sink: c.asked}
		if got, why := discard.Choose(c.found); got != SinkFile || why != "both streams are discarded" {
			t.Errorf("%q, all discarded: %s because %q", c.asked, got, why)
		}
	}
}

func TestARunIsIntendedWithItsSink(t *testing.T) {
	j := Job{Phase: Waiting, Spec: Spec{Log: Log{Stdout: true}}}
	j, _ = Decide(j, Observation{Now: now, Manager: "m1", Journald: Journald{Runs: true, Why: "it answers"}})
	if r := j.Last(); r == nil || r.Sink != SinkBoth || r.SinkWhy != "it answers" {
		t.Fatalf("got %+v", r)
	}
}
