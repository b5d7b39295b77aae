package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFilesAreTurnedWhereALineEnds(t *testing.T) {
	long := strings.Repeat("x", 1_000_000)
	for name, c := range map[string]struct {
		max    int64
		chunks []chunkOf
		files  []string
	}{
		"no line fits two files": {30, []chunkOf{{Stdout, []byte("one\ntwo\nthree\n")}}, []string{"stdout: one\nstdout: two\n", "stdout: three\n"}},
		"exactly full":           {24, []chunkOf{{Stdout, []byte("one\ntwo\nthree\n")}}, []string{"stdout: one\nstdout: two\n", "stdout: three\n"}},
		"each line too long":     {1, []chunkOf{{Stdout, []byte("one\ntwo\n")}}, []string{"stdout: one\n", "stdout: two\n"}},
		"no last newline":        {20, []chunkOf{{Stdout, []byte("one\ntwo")}}, []string{"stdout: one\n", "stdout+: two\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			logs := newLogs(t)
			pumpChunks(t, logs, Options{MaxBytes: c.max}, c.chunks)
			for i, want := range c.files {
				if b, err := os.ReadFile(logPath(logs, i+1)); string(b) != want || err != nil {
					t.Errorf("log.%d: %q, %v, want %q", i+1, b, err, want)
				}
			}
			if n := len(must(logNumbers(logs))); n != len(c.files) {
				t.Errorf("%d files", n)
			}
		})
	}
	t.Run("a line longer than a file is not cut", func(t *testing.T) {
		logs := newLogs(t)
		chunks := []chunkOf{{Stdout, []byte("a\n" + long + "\nb\n")}}
		pumpChunks(t, logs, Options{MaxBytes: 100_000}, chunks)
		checkRaw(t, logs, Stdout, sum(chunks, Stdout))
		for _, n := range must(logNumbers(logs)) {
			if b := must(os.ReadFile(logPath(logs, n))); bytes.Contains(b[bytes.LastIndexByte(b[:len(b)-1], '\n')+1:], []byte("stdout+")) {
				t.Errorf("log.%d ends in a line", n)
			}
		}
	})
	t.Run("a line without an end is cut in time", func(t *testing.T) {
		logs := newLogs(t)
		chunks := []chunkOf{{Stdout, bytes.Repeat([]byte("progress\r"), 3*maxLine/9)}}
		pumpChunks(t, logs, Options{MaxBytes: 100_000}, chunks)
		checkRaw(t, logs, Stdout, sum(chunks, Stdout))
		if n := len(must(logNumbers(logs))); n < 3 {
			t.Errorf("%d files", n)
		}
	})
}

func TestAnotherPumpGoesOnInTheNewestFile(t *testing.T) {
	logs := newLogs(t)
	opt := Options{MaxBytes: 100, MaxFiles: 3}
	for i := range 50 {
		pumpChunks(t, logs, opt, []chunkOf{{Stdout, fmt.Appendf(nil, "line %d\n", i)}})
	}
	if got := string(raw(t, logs, Stdout)); !strings.HasSuffix(got, "line 48\nline 49\n") || !strings.HasPrefix(got, "line ") {
		t.Errorf("kept: %q", got)
	}
	for _, n := range must(logNumbers(logs)) {
		if info, err := os.Stat(logPath(logs, n)); err != nil || info.Size() > opt.MaxBytes {
			t.Errorf("log.%d: %v, %v", n, info, err)
		}
	}
	if n := len(must(logNumbers(logs))); n != opt.MaxFiles {
		t.Errorf("%d files", n)
	}
}

func TestAPumpNoticesThatADrainBeganTheNextFile(t *testing.T) {
	logs := newLogs(t)
	opt := Options{MaxBytes: 40}
	w, _, end := pumping(t, logs, opt)
	wrote(t)(w.WriteString("a\n"))
	eventually(t, "it is written", func() bool { return content(logs) != "" })
	pumpChunks(t, logs, opt, []chunkOf{{Stdout, []byte(strings.Repeat("b", 30) + "\n")}})
	wrote(t)(w.WriteString("c\n"))
	end()
	if got := string(raw(t, logs, Stdout)); got != "a\n"+strings.Repeat("b", 30)+"\nc\n" {
		t.Errorf("order: %q", got)
	}
}

// checker checks what a reader is shown of numbered lines while files are deleted
// beneath it: nothing is missing but what was deleted, and that is told.
type checker struct {
	t       *testing.T
	last    [numStreams]int
	excused [numStreams]bool // something was deleted since the stream's last line
}

func (c *checker) opt(tail int) ReadOptions {
	return ReadOptions{Tail: tail, Join: true, Deleted: func(first, last int) {
		if first < 1 || last < first {
			c.t.Errorf("deleted: %d to %d", first, last)
		}
		c.excused = [numStreams]bool{true, true}
	}}
}

func (c *checker) emit(l Line) error {
	s := l.Stream
	text := string(l.Text)
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimLeft(text, "<."), ">"))
	if !strings.HasPrefix(text, "<") {
		err = strconv.ErrSyntax
	}
	switch {
	case l.Partial: // the last one, or one that goes on in a deleted file
		return nil
	case c.excused[s] && (err != nil || n > c.last[s]):
		// Its beginning may have been deleted too.
	case err != nil || n != c.last[s]+1:
		return fmt.Errorf("%v: %q after %d", s, text, c.last[s])
	}
	c.excused[s] = false
	if err == nil {
		c.last[s] = n
	} else {
		c.excused[s] = true
	}
	return nil
}

func TestReadingStaysRightWhileFilesRotateAndVanish(t *testing.T) {
	for round := range 8 {
		random := rand.New(rand.NewPCG(rand.Uint64(), 0))
		logs := newLogs(t)
		opt := Options{MaxBytes: 500 + random.Int64N(5000), MaxFiles: 1 + random.IntN(4), Hold: -1, Timestamps: round%2 == 0}
		out, outW := pipe(t, Stdout)
		errs, errW := pipe(t, Stderr)
		pumped, written := make(chan error, 1), make(chan struct{})
		var over atomic.Bool
		go func() { pumped <- Pump(t.Context(), logs, []Source{out, errs}, opt) }()
		go func() {
			defer close(written)
			var n [numStreams]int
			for range 3000 {
				s := Stream(random.IntN(2))
				n[s]++
				line := fmt.Sprintf("<%s%d>\n", strings.Repeat(".", random.IntN(100)), n[s])
				cut := random.IntN(len(line))
				for _, part := range []string{line[:cut], line[cut:]} {
					wrote(t)([]*os.File{outW, errW}[s].WriteString(part))
				}
			}
			outW.Close()
			errW.Close()
		}()
		ended, followed := make(chan struct{}), make(chan error, 1)
		go func() {
			c := checker{t: t}
			followed <- Follow(t.Context(), logs, c.opt(All), ended, c.emit)
		}()
		read := make(chan error, 1)
		go func() {
			var err error
			for err == nil && !over.Load() {
				c := checker{t: t}
				if err = Read(t.Context(), logs, c.opt(All), c.emit); err == nil {
					c := checker{t: t, excused: [numStreams]bool{true, true}}
					err = Read(t.Context(), logs, c.opt(1+int(time.Now().UnixNano()%20)), c.emit)
				}
			}
			read <- err
		}()
		<-written
		for _, done := range []chan error{pumped, read, followed} {
			if done == read {
				over.Store(true)
			}
			if done == followed {
				close(ended)
			}
			if err := <-done; err != nil {
				t.Fatalf("%+v: %v", opt, err)
			}
		}
		if n := len(must(logNumbers(logs))); n > opt.MaxFiles {
			t.Errorf("%d files, want at most %d", n, opt.MaxFiles)
		}
	}
}
