package journal

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 43764999, time.FixedZone("CET", 3600))

func TestRecordsAreWrittenAsDocumented(t *testing.T) {
	for _, c := range []struct {
		stamps bool
		want   string
	}{
		{true, "2026-11-23T11:00:00.043764Z stdout: a b\n2026-11-23T11:00:00.043764Z stderr: \n2026-11-23T11:00:00.043764Z stdout+: c\n"},
		{false, "stdout: a b\nstderr: \nstdout+: c\n"},
	} {
		logs := newLogs(t)
		out, outW := pipe(t, Stdout)
		errs, errW := pipe(t, Stderr)
		wrote(t)(outW.WriteString("a b\nc"))
		wrote(t)(errW.WriteString("\n"))
		outW.Close()
		opt := Options{Timestamps: c.stamps, Hold: -1, now: func() time.Time { return noon }}
		done := make(chan error, 1)
		go func() { done <- Pump(t.Context(), logs, []Source{out, errs}, opt) }()
		errW.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(logPath(logs, 1))
		if err != nil || string(got) != c.want {
			t.Errorf("%v\n%s\nwant\n%s", err, got, c.want)
		}
	}
}

func TestAHeaderIsReadAsItWasWritten(t *testing.T) {
	var p parser
	for i := range 10000 {
		now := time.UnixMicro(rand.Int64N(4e15)).UTC() // until 2096
		if i%3 == 0 {
			now = time.Time{}
		}
		want := record{now, Stream(i % 2), i%4 < 2, []byte("std\x00\xff: Z +: ")}
		line := append(appendHeader(nil, want.time, want.stream, want.partial), want.text...)
		if !now.IsZero() && string(line[:stampLen]) != now.Format("2006-01-02T15:04:05.000000Z") {
			t.Fatalf("time: %s, want %v", line, now)
		}
		got, ok := p.parse(line)
		if !ok || !got.time.Equal(want.time) || got.stream != want.stream || got.partial != want.partial || !bytes.Equal(got.text, want.text) {
			t.Fatalf("%q: %v, want %v", line, got, want)
		}
	}
}

// notRecords are lines that every reader skips: half headers, and damage.
var notRecords = []string{
	"", "2", "2026-11-23T08:39:55.043764", "2026-11-23T08:39:55.043764Z", "2026-11-23T08:39:55.043764Z stdout", "2026-11-23T08:39:55.043764Z stdout+",
	"2026-11-23T08:39:55.043764Z stdout:", "2026-11-23T08:39:55.043764Z stdout+:", "std", "stdout", "stdout:", "stdout+:", "stdout++: x", "stdout x",
	"stdin: x", "\x00\x00\x00\x00", "2026-13-23T08:39:55.043764Z stdout: x", "2026-11-23T08:39:55,043764Z stdout: x", "2026-11-23T08:39:55.0437640 stdout: x",
	"2026-11-23T08:39:55.04376+01:00 stdout: x", "2026-11-23T08:39:55.043764Z  stdout: x", "2026-11-23T08:39:55.043764Z\tstdout: x", "hello, this is a longer line of something else",
}

func TestALineThatIsNoRecordIsNone(t *testing.T) {
	var p parser
	for _, line := range notRecords {
		if rec, ok := p.parse([]byte(line)); ok {
			t.Errorf("%q is taken for %v", line, rec)
		}
	}
}

func TestStreamsAreParsed(t *testing.T) {
	for list, want := range map[string]Streams{"stdout": StreamSet(Stdout), "stderr": StreamSet(Stderr), "stderr, stdout": StreamSet(Stdout, Stderr)} {
		if got, err := ParseStreams(list); got != want || err != nil {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
	for _, list := range []string{"", "stdin", "stdout,", "STDOUT"} {
		if got, err := ParseStreams(list); err == nil {
			t.Errorf("%q: %v, want an error", list, got)
		}
	}
	if all := Streams(0); !all.Has(Stdout) || !all.Has(Stderr) || StreamSet(Stderr).Has(Stdout) {
		t.Error("wrong sets")
	}
}
