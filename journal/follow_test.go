package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// following collects what Follow emits.
type following struct {
	t     *testing.T
	mu    sync.Mutex
	lines []Line
	raw   [numStreams]strings.Builder
	ended chan struct{}
	done  chan error
}

func newFollowing(t *testing.T, logs string, opt ReadOptions) *following {
	f := &following{t: t, ended: make(chan struct{}), done: make(chan error, 1)}
	go func() { f.done <- Follow(t.Context(), logs, opt, f.ended, f.emit) }()
	return f
}

func (f *following) emit(l Line) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.Text = []byte(string(l.Text))
	f.lines = append(f.lines, l)
	f.raw[l.Stream].Write(AppendRaw(nil, l))
	return nil
}

func (f *following) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return text(f.lines)
}

func (f *following) end() {
	f.t.Helper()
	close(f.ended)
	if err := <-f.done; err != nil {
		f.t.Fatal(err)
	}
}

func TestFollowingShowsAllThatIsWrittenMeanwhile(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for i := range 20 {
		logs := newLogs(t)
		opts := []ReadOptions{{Tail: All}, {Tail: All, Join: true}, {Tail: All, Streams: StreamSet(Stderr)}}
		var fs []*following
		for _, opt := range opts {
			fs = append(fs, newFollowing(t, logs, opt))
		}
		var chunks []chunkOf
		for n := range 200 {
			chunks = append(chunks, chunkOf{Stream(random.IntN(2)), fmt.Appendf(nil, "%d%s", n, strings.Repeat("\n", random.IntN(2)))})
		}
		pumpChunks(t, logs, Options{Hold: -1, Timestamps: i%2 == 0}, chunks)
		for i, f := range fs {
			f.end()
			for s := range f.raw {
				want := string(sum(chunks, Stream(s)))
				if !opts[i].Streams.Has(Stream(s)) {
					want = ""
				}
				if got := f.raw[s].String(); got != want {
					t.Fatalf("%+v: %v:\n%q\nwant\n%q", opts[i], Stream(s), got, want)
				}
			}
		}
	}
}

func TestFollowingRawShowsAPieceBeforeItsLineEnds(t *testing.T) {
	logs := newLogs(t)
	raw, joined := newFollowing(t, logs, ReadOptions{Tail: All}), newFollowing(t, logs, ReadOptions{Tail: All, Join: true})
	w, _, end := pumping(t, logs, Options{})
	wrote(t)(w.WriteString("Password: "))
	eventually(t, "it shows", func() bool { return raw.text() == "o+:Password: |" })
	wrote(t)(w.WriteString("ok\nbye"))
	eventually(t, "it shows the line", func() bool { return joined.text() == "o:Password: ok|" })
	end()
	raw.end()
	joined.end()
	if raw.text() != "o+:Password: |o:ok|o+:bye|" || joined.text() != "o:Password: ok|o+:bye|" {
		t.Errorf("raw %s, joined %s", raw.text(), joined.text())
	}
}

func TestFollowingIsQuick(t *testing.T) {
	for name, start := range map[string]func(logs string) *watch{
		"watching": newWatch,
		"polling":  func(logs string) *watch { return &watch{logs: logs} }, // as if no watcher could be had
	} {
		t.Run(name, func(t *testing.T) {
			logs := newLogs(t)
			shown := make(chan time.Time)
			ended := make(chan struct{})
			done := make(chan error, 1)
			go func() {
				done <- follow(t.Context(), start(logs), ReadOptions{Tail: All, Join: true}, ended, func(Line) error {
					shown <- time.Now()
					return nil
				})
			}()
			w, _, end := pumping(t, logs, Options{})
			var slow int
			for range 10 {
				written := time.Now()
				wrote(t)(w.WriteString("line\n"))
				if d := (<-shown).Sub(written); d > 100*time.Millisecond {
					t.Log(d)
					slow++
				}
			}
			if slow > 3 { // another test may have had the processor
				t.Errorf("%d of 10 lines took longer than 100 ms", slow)
			}
			end()
			close(ended)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFollowingStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Follow(ctx, newLogs(t), ReadOptions{Tail: All}, make(chan struct{}), func(Line) error { return nil })
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFollowingGoesOnInTheNextFile(t *testing.T) {
	logs := newLogs(t)
	f := newFollowing(t, logs, ReadOptions{Tail: All})
	var want strings.Builder
	for n := 1; n <= 20; n++ {
		var b strings.Builder
		for i := range 100 {
			fmt.Fprintf(&b, "stdout: %d.%d\n", n, i)
			fmt.Fprintf(&want, "o:%d.%d|", n, i)
		}
		writeLog(t, logs, n, b.String())
	}
	eventually(t, "all is shown", func() bool { return f.text() == want.String() })
	f.end()
}
