package journal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// patience is for what takes milliseconds, on a machine that does much else.
const patience = 30 * time.Second

// newLogs returns the path of a logs directory that doesn't exist yet.
func newLogs(t testing.TB) string {
	return filepath.Join(t.TempDir(), "logs")
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for start := time.Now(); !condition(); time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// readAll returns everything there is, with copies of the texts.
func readAll(t testing.TB, logs string, opt ReadOptions) []Line {
	t.Helper()
	var lines []Line
	err := Read(t.Context(), logs, opt, func(l Line) error {
		l.Text = slices.Clone(l.Text)
		lines = append(lines, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// raw returns what the program wrote on a stream.
func raw(t testing.TB, logs string, s Stream) []byte {
	t.Helper()
	var b []byte
	for _, l := range readAll(t, logs, ReadOptions{Tail: All, Streams: StreamSet(s)}) {
		b = AppendRaw(b, l)
	}
	return b
}

// checkFormat fails if a log file has anything but whole records.
func checkFormat(t testing.TB, logs string, stamps bool) {
	t.Helper()
	numbers, err := logNumbers(logs)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		b, err := os.ReadFile(logPath(logs, n))
		if err != nil {
			t.Fatal(err)
		}
		var p parser
		for line := range bytes.Lines(b) {
			line, whole := bytes.CutSuffix(line, []byte("\n"))
			rec, ok := p.parse(line)
			if !ok || !whole || rec.time.IsZero() == stamps {
				t.Fatalf("log.%d: bad record %.100q", n, line)
			}
		}
	}
}

// writeLog makes log.n with this content.
func writeLog(t testing.TB, logs string, n int, content string) {
	t.Helper()
	if err := os.MkdirAll(logs, dirMode); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(logPath(logs, n), []byte(content), fileMode); err != nil {
		t.Fatal(err)
	}
}

// pipe is a source with its other end.
func pipe(t testing.TB, s Stream) (Source, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return Source{s, r}, w
}

// pumpChunks lets a pump take the chunks, each written on its stream by one call,
// to the end.
func pumpChunks(t testing.TB, logs string, opt Options, chunks []chunkOf) {
	t.Helper()
	out, outW := pipe(t, Stdout)
	errs, errW := pipe(t, Stderr)
	done := make(chan error, 1)
	go func() { done <- Pump(t.Context(), logs, []Source{out, errs}, opt) }()
	for _, c := range chunks {
		if _, err := []*os.File{outW, errW}[c.stream].Write(c.bytes); err != nil {
			t.Fatal(err)
		}
	}
	outW.Close()
	errW.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

type chunkOf struct {
	stream Stream
	bytes  []byte
}

// sum returns what the chunks are on one stream.
func sum(chunks []chunkOf, s Stream) []byte {
	var b []byte
	for _, c := range chunks {
		if c.stream == s {
			b = append(b, c.bytes...)
		}
	}
	return b
}

func checkRaw(t testing.TB, logs string, s Stream, want []byte) {
	t.Helper()
	got := raw(t, logs, s)
	if bytes.Equal(got, want) {
		return
	}
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	t.Fatalf("%v: %d bytes, want %d; from byte %d on %.80q, want %.80q", s, len(got), len(want), i, got[i:], want[i:])
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// wrote fails the test where a write did: wrote(t)(w.Write(b)).
func wrote(t testing.TB) func(int, error) {
	t.Helper()
	return func(_ int, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
