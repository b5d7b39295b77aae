package journal

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"
)

// numbers is what seq prints.
func numbers(n int) []byte {
	var b []byte
	for i := range n {
		b = append(appendDigits(b, i, 6), '\n')
	}
	return b
}

// BenchmarkPump gives lines a second through a pipe into a file, with timestamps, and
// with a copy in journald (of as much as there is, where that runs).
func BenchmarkPump(b *testing.B) {
	for name, opt := range map[string]Options{"file": {}, "spool": {Spool: "/dev/shm/jobman-bench"}, "both": {Copy: &Origin{Identifier: "bench"}}} {
		opt.Timestamps = true
		b.Run(name, func(b *testing.B) { benchPump(b, opt) })
	}
}

func benchPump(b *testing.B, opt Options) {
	b.Helper()
	const lines = 1_000_000
	text := numbers(lines)
	dir := b.TempDir()
	for b.Loop() {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			wrote(b)(w.Write(text))
			w.Close()
		}()
		if err := Pump(context.Background(), dir, []Source{{Stdout, r}}, opt); err != nil {
			b.Fatal(err)
		}
		r.Close()
		b.StopTimer()
		os.Remove(logPath(dir, 1))
		b.StartTimer()
	}
	b.ReportMetric(lines*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkToFile is what BenchmarkPump is to be compared with.
func BenchmarkToFile(b *testing.B) {
	text := numbers(1_000_000)
	name := b.TempDir() + "/file"
	for b.Loop() {
		f, err := os.Create(name)
		if err != nil {
			b.Fatal(err)
		}
		for rest := text; len(rest) > 0; rest = rest[min(len(rest), 64<<10):] {
			wrote(b)(f.Write(rest[:min(len(rest), 64<<10)]))
		}
		f.Close()
	}
}

// BenchmarkRead gives lines a second.
func BenchmarkRead(b *testing.B) {
	for name, join := range map[string]bool{"pieces": false, "lines": true} {
		b.Run(name, func(b *testing.B) {
			logs, lines := benchLog(b)
			n := 0
			for b.Loop() {
				if err := Read(b.Context(), logs, ReadOptions{Tail: All, Join: join}, func(Line) error { n++; return nil }); err != nil {
					b.Fatal(err)
				}
			}
			if n != lines*b.N {
				b.Fatal(n)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// BenchmarkTail is logs -n 10, the worst case too: a stream of which hardly
// anything is there.
func BenchmarkTail(b *testing.B) {
	for name, more := range map[string]string{"plain": "", "stderr": "stderr: oh\n"} {
		b.Run(name, func(b *testing.B) {
			logs, _ := benchLog(b)
			f, err := os.OpenFile(logPath(logs, 1), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			wrote(b)(io.WriteString(f, more))
			f.Close()
			for b.Loop() {
				n := 0
				if err := Read(b.Context(), logs, ReadOptions{Tail: 10, Join: true}, func(Line) error { n++; return nil }); err != nil || n != 10 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func benchLog(b *testing.B) (logs string, lines int) {
	b.Helper()
	lines = 1_000_000
	a := newAppender(b.TempDir()+"/logs", Options{Timestamps: true})
	if err := a.acquire(b.Context()); err != nil {
		b.Fatal(err)
	}
	a.at(noon)
	text := numbers(lines)
	for chunk := range bytes.Lines(text) {
		a.lines(Stdout, chunk)
	}
	if err := a.close(); err != nil {
		b.Fatal(err)
	}
	return a.lock.logs, lines
}
