package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// text renders lines for comparison: a letter for the stream, + for partial.
func text(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		mark := ""
		if l.Partial {
			mark = "+"
		}
		fmt.Fprintf(&b, "%c%s:%s|", "oe"[l.Stream], mark, l.Text)
	}
	return b.String()
}

func TestReadingChoosesAndJoins(t *testing.T) {
	logs := newLogs(t)
	writeLog(t, logs, 8, "stdout: a\nstderr+: b1\nstdout+: c1\n")
	writeLog(t, logs, 9, "stderr+: \nstdout: d\n2026-11-23T08:3\nstderr: b2\nstdout+: e")
	writeLog(t, logs, 10, "stdout: f\nstderr+: g1\nstderr+: g2\nstdout+: h")
	for _, name := range []string{"log.", "log.x", "log.05", "log.0", "log.-1", "log", "log.5.gz", "other"} {
		if err := os.WriteFile(logs+"/"+name, []byte("stdout: not ours\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		opt  ReadOptions
		want string
	}{
		{ReadOptions{Tail: All}, "o:a|e+:b1|o+:c1|e+:|o:d|e:b2|o+:e|o:f|e+:g1|e+:g2|o+:h|"},
		{ReadOptions{Tail: All, Join: true}, "o:a|o:c1d|e:b1b2|o:ef|e+:g1g2|o+:h|"},
		{ReadOptions{Tail: All, Join: true, Streams: StreamSet(Stderr)}, "e:b1b2|e+:g1g2|"},
		{ReadOptions{Tail: 0}, ""},
		{ReadOptions{Tail: 1, Join: true}, "o+:h|"},
		{ReadOptions{Tail: 1}, "o+:h|"},
		{ReadOptions{Tail: 2, Join: true}, "e+:g1g2|o+:h|"},
		{ReadOptions{Tail: 2}, "e+:g1|e+:g2|o+:h|"},
		{ReadOptions{Tail: 3, Join: true}, "o:ef|e+:g1g2|o+:h|"},
		{ReadOptions{Tail: 4, Join: true}, "e:b1b2|o:ef|e+:g1g2|o+:h|"},
		{ReadOptions{Tail: 4}, "e+:b1|e+:|e:b2|o+:e|o:f|e+:g1|e+:g2|o+:h|"},
		{ReadOptions{Tail: 100, Join: true}, "o:a|o:c1d|e:b1b2|o:ef|e+:g1g2|o+:h|"},
	} {
		if got := text(readAll(t, logs, c.opt)); got != c.want {
			t.Errorf("%+v:\n%s\nwant\n%s", c.opt, got, c.want)
		}
	}
}

func TestAnUnwrittenLogIsEmpty(t *testing.T) {
	for _, tail := range []int{All, 0, 10} {
		logs := newLogs(t)
		if got := readAll(t, logs, ReadOptions{Tail: tail}); len(got) != 0 {
			t.Errorf("no directory: %v", got)
		}
		writeLog(t, logs, 1, "")
		if got := readAll(t, logs, ReadOptions{Tail: tail}); len(got) != 0 {
			t.Errorf("empty file: %v", got)
		}
	}
}

func TestSinceLeavesOutWhatIsOlder(t *testing.T) {
	logs := newLogs(t)
	writeLog(t, logs, 1, ""+
		"2026-11-23T08:00:00.000000Z stdout: a\n"+
		"2026-11-23T08:00:01.000000Z stdout+: b1\n"+
		"2026-11-23T08:00:02.000000Z stdout: b2\n"+
		"2026-11-23T08:00:03.000000Z stdout: c\n")
	since := time.Date(2026, 11, 23, 8, 0, 2, 0, time.UTC)
	if got := text(readAll(t, logs, ReadOptions{Tail: All, Since: since})); got != "o:b2|o:c|" {
		t.Errorf("pieces: %s", got)
	}
	if got := text(readAll(t, logs, ReadOptions{Tail: All, Since: since, Join: true})); got != "o:c|" {
		t.Errorf("lines: %s", got)
	}
	lines := readAll(t, logs, ReadOptions{Tail: 2, Since: since.Add(-time.Second), Join: true})
	if text(lines) != "o:b1b2|o:c|" || !lines[0].Time.Equal(since.Add(-time.Second)) {
		t.Errorf("with tail: %v", lines)
	}
	writeLog(t, logs, 1, "stdout: a\n")
	err := Read(t.Context(), logs, ReadOptions{Tail: All, Since: since}, func(Line) error { return nil })
	if !errors.Is(err, ErrNoTimestamps) {
		t.Errorf("without timestamps: %v", err)
	}
}

func TestNextGoesOnWhenMoreIsWritten(t *testing.T) {
	logs := newLogs(t)
	r, err := Open(logs, ReadOptions{Tail: All, Join: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next := func() string {
		t.Helper()
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return "EOF"
		}
		if err != nil {
			t.Fatal(err)
		}
		return text([]Line{l})
	}
	grow := func(n int, more string) {
		t.Helper()
		b, _ := os.ReadFile(logPath(logs, n))
		writeLog(t, logs, n, string(b)+more)
	}
	for _, step := range []struct {
		n    int
		more string
		want []string
	}{
		{2, "", []string{"EOF", "EOF"}},
		{2, "stdout: a\nstd", []string{"o:a|", "EOF"}},
		{2, "err: b\nstdout+: c", []string{"e:b|", "EOF"}},
		{2, "c\n", []string{"EOF"}},
		{2, "stdout: d\nstderr: torn", []string{"o:ccd|", "EOF"}},
		{3, "stdout: e\n", []string{"e:torn|", "o:e|", "EOF"}},
		{7, "stdout+: f\nstdout+: g", []string{"EOF"}},
	} {
		grow(step.n, step.more)
		for _, want := range step.want {
			if got := next(); got != want {
				t.Fatalf("after %q: %s, want %s", step.more, got, want)
			}
		}
	}
	r.Finish()
	if got := next() + next() + next(); got != "o+:fg|EOFEOF" {
		t.Errorf("at the end: %s", got)
	}
}

func TestARecordThatIsBeingWrittenIsTheLastOrNew(t *testing.T) {
	for tail, want := range []string{"o:torn|", "o:torn|", "e+:old|o:torn|", "o:old|e+:old|o:torn|"} {
		logs := newLogs(t)
		writeLog(t, logs, 1, "stdout: old\nstderr+: old\nstdout: to")
		r, err := Open(logs, ReadOptions{Tail: tail})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		read := func() (lines []Line) {
			if err := r.each(t.Context(), func(l Line) error {
				l.Text = slices.Clone(l.Text)
				lines = append(lines, l)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return lines
		}
		got := read()
		writeLog(t, logs, 1, "stdout: old\nstderr+: old\nstdout: torn\n")
		if got := text(append(got, read()...)); got != want {
			t.Errorf("-n %d: %s, want %s", tail, got, want)
		}
	}
}

func TestReadingToleratesDamage(t *testing.T) {
	logs := newLogs(t)
	zeros := strings.Repeat("\x00", 3*maxRecord)
	writeLog(t, logs, 1, strings.Join(notRecords, "\n")+"\nstdout: a\n"+zeros+"\nstdout: b\n"+zeros)
	writeLog(t, logs, 2, "stdout: c\n"+zeros)
	for _, opt := range []ReadOptions{{Tail: All}, {Tail: 3}, {Tail: 10, Join: true}} {
		if got := text(readAll(t, logs, opt)); got != "o:a|o:b|o:c|" {
			t.Errorf("%+v: %s", opt, got)
		}
	}
}

func TestAVeryLongLineIsJoinedUpToALimit(t *testing.T) {
	logs := newLogs(t)
	piece := "stdout+: " + strings.Repeat("x", 1<<19) + "\n"
	writeLog(t, logs, 1, strings.Repeat(piece, 40)+"stdout: end\nstdout: next\n")
	lines := readAll(t, logs, ReadOptions{Tail: All, Join: true})
	if len(lines) != 3 || len(lines[0].Text) != maxLine || !lines[0].Partial || lines[1].Partial || string(lines[2].Text) != "next" {
		t.Errorf("%d lines", len(lines))
	}
	if n := len(lines[0].Text) + len(lines[1].Text); n != 40<<19+len("end") {
		t.Errorf("%d bytes", n)
	}
}

func TestReadingStopsWithTheContextAndWithEmit(t *testing.T) {
	logs := newLogs(t)
	writeLog(t, logs, 1, "stdout: a\nstdout: b\n")
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := Read(ctx, logs, ReadOptions{Tail: All}, func(Line) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("context: %d lines, %v", n, err)
	}
	own := errors.New("own")
	if err := Read(t.Context(), logs, ReadOptions{Tail: All}, func(Line) error { return own }); !errors.Is(err, own) {
		t.Errorf("emit: %v", err)
	}
}

func TestLinesAreRendered(t *testing.T) {
	for _, c := range []struct {
		line              Line
		raw, human, color string
	}{
		{Line{noon, Stdout, []byte("a\tb"), false}, "a\tb\n", "2026-11-23T11:00:00.043764Z stdout: a\tb\n", "2026-11-23T11:00:00.043764Z stdout: a\tb\n"},
		{Line{time.Time{}, Stderr, []byte("a\r"), true}, "a\r", "stderr: a\n", "\x1b[31mstderr: a\x1b[0m\n"},
		{Line{time.Time{}, Stdout, []byte("\x1b[2J\x00\x7f\xc2\x9b31mé\xff\xe2\x82x\u00a0\ufffd"), false},
			"\x1b[2J\x00\x7f\xc2\x9b31mé\xff\xe2\x82x\u00a0\ufffd\n", "stdout: [2J31mé\ufffd\ufffd\ufffdx\u00a0\ufffd\n", "stdout: [2J31mé\ufffd\ufffd\ufffdx\u00a0\ufffd\n"},
	} {
		if got := string(AppendRaw(nil, c.line)); got != c.raw {
			t.Errorf("raw: %q, want %q", got, c.raw)
		}
		if got := string(AppendHuman(nil, c.line, false)); got != c.human {
			t.Errorf("human: %q, want %q", got, c.human)
		}
		if got := string(AppendHuman(nil, c.line, true)); got != c.color {
			t.Errorf("color: %q, want %q", got, c.color)
		}
	}
	if got := AppendPlain([]byte("x"), bytes.Repeat([]byte{7}, 10)); string(got) != "x" {
		t.Errorf("%q", got)
	}
}
