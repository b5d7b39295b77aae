package journal

import (
	"testing"
	"time"

	"jobman/job"
)

func TestAnEntryIsWrittenInJournaldsProtocol(t *testing.T) {
	spec := &job.Spec{Command: []job.Text{"/bin/echo", "a"}, Name: "nightly"}
	o := NewOrigin(job.Ref{ID: "3f2a91c4-0000-4000-8000-00000000000a", Run: 3}, spec)
	for _, c := range []struct {
		rec  record
		want string
	}{
		{record{stream: Stdout, text: []byte("a=b")}, "PRIORITY=6\nSYSLOG_IDENTIFIER=nightly\nJOBMAN_JOB_ID=3f2a91c4-0000-4000-8000-00000000000a\n" +
			"JOBMAN_JOB_NAME=nightly\nJOBMAN_RUN=3\nJOBMAN_STREAM=stdout\nMESSAGE=a=b\n"},
		{record{stream: Stderr, partial: true, text: []byte("\xff")}, "PRIORITY=4\nSYSLOG_IDENTIFIER=nightly\nJOBMAN_JOB_ID=3f2a91c4-0000-4000-8000-00000000000a\n" +
			"JOBMAN_JOB_NAME=nightly\nJOBMAN_RUN=3\nJOBMAN_STREAM=stderr\nJOBMAN_PARTIAL=1\nMESSAGE\n\x01\x00\x00\x00\x00\x00\x00\x00\xff\n"},
	} {
		if got := string(appendEntry(nil, o.fields(c.rec.stream), c.rec)); got != c.want {
			t.Errorf("got\n%q\nwant\n%q", got, c.want)
		}
	}
}

func TestAJobWithoutANameIsCalledAfterItsProgram(t *testing.T) {
	spec := &job.Spec{Command: []job.Text{"/bin/echo", "secret"}}
	spec.Name = job.DefaultName(spec.Command)
	if o := NewOrigin(job.Ref{}, spec); o.Identifier != "echo" || o.Name != "" {
		t.Errorf("%+v", o)
	}
}

func TestTheCopierKeepsToItsLimit(t *testing.T) {
	c := newCopier(&Origin{})
	c.started = true // so that nobody sends
	c.add([]byte("a\nb\n"))
	c.burst = c.most - 1
	c.add([]byte("c\nd\ne\n"))
	if string(c.queue) != "a\nb\nc\n" || c.takeMissed().Lines != 2 || c.lacks() {
		t.Errorf("queued %q, missed %+v", c.queue, c.missed)
	}
	c.begun = time.Now().Add(-copyInterval)
	c.add([]byte("f\n"))
	if string(c.queue) != "a\nb\nc\nf\n" || c.lacks() {
		t.Errorf("after the interval: queued %q, missed %+v", c.queue, c.missed)
	}
	c.add(make([]byte, copyQueue))
	c.add(append(make([]byte, copyQueue), '\n'))
	if len(c.queue) > copyQueue || c.takeMissed().Lines != 1 {
		t.Errorf("%d bytes are queued, missed %+v", len(c.queue), c.missed)
	}
}

func TestWhatIsNotCopiedIsAddedUp(t *testing.T) {
	logs := t.TempDir()
	first := time.UnixMicro(1_000_001).UTC()
	for i := range 3 {
		at := first.Add(time.Duration(i) * time.Second)
		if err := recordMissed(logs, Missed{10, at, at}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Uncopied(logs); err != nil || got != (Missed{30, first, first.Add(2 * time.Second)}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Uncopied(logs + "/none"); err != nil || got != (Missed{}) {
		t.Errorf("without a directory: %+v, %v", got, err)
	}
}
