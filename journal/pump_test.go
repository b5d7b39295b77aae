package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryByteIsKept(t *testing.T) {
	for name, content := range map[string]string{
		"empty lines":     "\n\n\na\n\n",
		"one newline":     "\n",
		"no last newline": "a\nb",
		"one byte":        "x",
		"NUL":             "\x00\n\x00a\x00\n\x00",
		"CRLF":            "a\r\nb\r\n\r\n\r",
		"no UTF-8":        "\xff\xfe\n\xc3\n\xa9\n\xed\xa0\x80",
		"like records":    "stdout: x\nstderr+: y\n2026-11-23T08:39:55.043764Z stdout: z\n",
		"10 MB line":      strings.Repeat("0123456789", 1<<20) + "\nend\n",
		"64 KiB lines":    strings.Repeat(strings.Repeat("x", 64<<10-1)+"\n", 20) + strings.Repeat("y", 64<<10),
		"short lines":     strings.Repeat("\n", 1<<15) + strings.Repeat("y\n", 1<<15),
	} {
		for _, stamps := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", name, stamps), func(t *testing.T) {
				logs := newLogs(t)
				chunks := []chunkOf{{Stdout, []byte(content)}, {Stderr, []byte(content)}, {Stdout, []byte("\n" + content)}}
				pumpChunks(t, logs, Options{Timestamps: stamps}, chunks)
				checkRaw(t, logs, Stdout, sum(chunks, Stdout))
				checkRaw(t, logs, Stderr, sum(chunks, Stderr))
				checkFormat(t, logs, stamps)
				var joined []byte
				for _, l := range readAll(t, logs, ReadOptions{Tail: All, Join: true, Streams: StreamSet(Stdout)}) {
					joined = AppendRaw(joined, l)
				}
				if !bytes.Equal(joined, sum(chunks, Stdout)) {
					t.Error("joined lines are not what was written")
				}
			})
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("a\nb"), uint8(0), uint64(1))
	f.Add([]byte("\n\n\x00\xff\r\n"), uint8(1), uint64(2))
	f.Add([]byte("line\n"), uint8(255), uint64(3))
	f.Add([]byte("no end "), uint8(255), uint64(4))
	f.Fuzz(func(t *testing.T, text []byte, doublings uint8, seed uint64) {
		content := text
		for len(content) < 300_000 && doublings > 0 {
			content = slices.Concat(content, content)
			doublings--
		}
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks []chunkOf
		for rest := content; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			if random.IntN(2) == 0 {
				n = min(n, 1+random.IntN(20))
			}
			chunks = append(chunks, chunkOf{Stream(random.IntN(2)), rest[:n]})
			if rest = rest[n:]; len(chunks) > 500 {
				break
			}
		}
		opt := Options{Timestamps: seed%2 == 0, Hold: []time.Duration{-1, time.Microsecond, time.Hour}[seed%3]}
		logs := newLogs(t)
		pumpChunks(t, logs, opt, chunks)
		checkRaw(t, logs, Stdout, sum(chunks, Stdout))
		checkRaw(t, logs, Stderr, sum(chunks, Stderr))
		checkFormat(t, logs, opt.Timestamps)
	})
}

func TestASilentRunLeavesNothing(t *testing.T) {
	logs := newLogs(t)
	pumpChunks(t, logs, Options{}, nil)
	if exists(logs) {
		t.Error("there is a logs directory")
	}
}

func TestOutputIsForItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are not kept")
	}
	logs := newLogs(t)
	pumpChunks(t, logs, Options{}, []chunkOf{{Stdout, []byte("x")}})
	for path, want := range map[string]os.FileMode{logs: os.ModeDir | 0o700, logPath(logs, 1): 0o600, filepath.Join(logs, lockName): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

// pumping starts a pump over one pipe.
func pumping(t *testing.T, logs string, opt Options) (w *os.File, r Source, end func()) {
	r, w = pipe(t, Stdout)
	done := make(chan error, 1)
	go func() { done <- Pump(t.Context(), logs, []Source{r}, opt) }()
	return w, r, func() {
		t.Helper()
		w.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func content(logs string) string {
	b, _ := os.ReadFile(logPath(logs, 1))
	return string(b)
}

func TestALineWrittenInTwoPartsIsOneRecord(t *testing.T) {
	logs := newLogs(t)
	w, r, end := pumping(t, logs, Options{Hold: time.Hour})
	wrote(t)(w.WriteString("one and"))
	if runtime.GOOS != "windows" {
		eventually(t, "the pump takes it", func() bool { n, err := Pending(r.File); return n == 0 && err == nil })
	}
	wrote(t)(w.WriteString(" two\n"))
	eventually(t, "the line is written", func() bool { return content(logs) == "stdout: one and two\n" })
	end()
}

func TestALineWhoseRestIsLateIsWrittenInPieces(t *testing.T) {
	logs := newLogs(t)
	w, _, end := pumping(t, logs, Options{Hold: time.Millisecond})
	wrote(t)(w.WriteString("one and"))
	eventually(t, "the piece is written", func() bool { return content(logs) == "stdout+: one and\n" })
	wrote(t)(w.WriteString(" two\n"))
	eventually(t, "the rest is written", func() bool { return content(logs) == "stdout+: one and\nstdout:  two\n" })
	end()
}

func TestADeletedRunDoesNotComeBack(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "deleted", "logs")
	out, w := pipe(t, Stdout)
	wrote(t)(w.WriteString("hello\n"))
	w.Close()
	err := Pump(t.Context(), logs, []Source{out}, Options{})
	if err == nil || !strings.Contains(err.Error(), "6 bytes of output lost") {
		t.Errorf("error %v, want one that tells of 6 bytes", err)
	}
	if exists(filepath.Dir(logs)) {
		t.Error("the run's directory is there again")
	}
}

func TestALineCostsNoMemory(t *testing.T) {
	logs := newLogs(t)
	w, _, end := pumping(t, logs, Options{Timestamps: true})
	line := []byte("a line\n")
	wrote(t)(w.Write(line))
	eventually(t, "the first line is written", func() bool { return content(logs) != "" })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const n = 20000
	for range n {
		wrote(t)(w.Write(line))
	}
	end()
	runtime.ReadMemStats(&after)
	if got := after.Mallocs - before.Mallocs; got > n/10 {
		t.Errorf("%d allocations for %d lines", got, n)
	}
}
