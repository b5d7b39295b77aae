package journal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomLogs writes some files of records and damage, and returns what the reader
// makes of each whole or torn record.
func randomLogs(t *testing.T, logs string, random *rand.Rand) {
	number := 1 + random.IntN(3)
	for range 1 + random.IntN(3) {
		var b strings.Builder
		for range random.IntN(12) {
			switch random.IntN(12) {
			case 0:
				b.WriteString(notRecords[random.IntN(len(notRecords))])
			default:
				fill := 10
				if random.IntN(10) == 0 {
					fill = 100_000 // more than the backward reader's block
				}
				b.Write(appendHeader(nil, noon, Stream(random.IntN(2)), random.IntN(3) > 0))
				fmt.Fprintf(&b, "%d%s", random.IntN(100), strings.Repeat(".", random.IntN(fill)))
			}
			b.WriteByte('\n')
		}
		content := b.String()
		if random.IntN(2) == 0 {
			content = content[:random.IntN(len(content)+1)]
		}
		writeLog(t, logs, number, content)
		number++
	}
}

// naiveTail is what Tail says in words: of the lines, ordered by their last piece,
// the last n; and the pieces that make them.
func naiveTail(pieces []Line, n int) (lines, chosen []Line) {
	type span struct{ pieces []int }
	var spans []span
	var open [numStreams][]int
	for i, p := range pieces {
		open[p.Stream] = append(open[p.Stream], i)
		if !p.Partial {
			spans = append(spans, span{open[p.Stream]})
			open[p.Stream] = nil
		}
	}
	whole := len(spans)
	for _, o := range open {
		if o != nil {
			spans = append(spans, span{o})
		}
	}
	byLast := func(a, b span) int { return a.pieces[len(a.pieces)-1] - b.pieces[len(b.pieces)-1] }
	slices.SortFunc(spans[whole:], byLast)
	sorted := slices.SortedFunc(slices.Values(spans), byLast)
	sorted = sorted[max(0, len(sorted)-n):]
	var all []int
	for _, s := range spans {
		if !slices.ContainsFunc(sorted, func(o span) bool { return byLast(s, o) == 0 }) {
			continue
		}
		joined := pieces[s.pieces[0]]
		joined.Text = nil
		for _, i := range s.pieces {
			joined.Text = append(joined.Text, pieces[i].Text...)
			joined.Partial = pieces[i].Partial
		}
		lines = append(lines, joined)
		all = append(all, s.pieces...)
	}
	slices.Sort(all)
	for _, i := range all {
		chosen = append(chosen, pieces[i])
	}
	return lines, chosen
}

func TestTailIsWhatANaiveOneWouldBe(t *testing.T) {
	for range 60 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		logs := newLogs(t)
		randomLogs(t, logs, random)
		for _, streams := range []Streams{0, StreamSet(Stdout), StreamSet(Stderr)} {
			pieces := readAll(t, logs, ReadOptions{Tail: All, Streams: streams})
			for n := range 9 {
				lines, chosen := naiveTail(pieces, n)
				opt := ReadOptions{Tail: n, Streams: streams}
				if got := text(readAll(t, logs, opt)); got != text(chosen) {
					t.Fatalf("seed %d, %+v: pieces\n%.1000s\nwant\n%.1000s", seed, opt, got, text(chosen))
				}
				opt.Join = true
				if got := text(readAll(t, logs, opt)); got != text(lines) {
					t.Fatalf("seed %d, %+v: lines\n%.1000s\nwant\n%.1000s", seed, opt, got, text(lines))
				}
			}
		}
	}
}

func TestTailReadsNoMoreThanItMust(t *testing.T) {
	logs := newLogs(t)
	lines := strings.Repeat("stdout: a line\n", 1<<22) // 60 MB
	writeLog(t, logs, 1, lines)
	for _, c := range []struct {
		n     int
		what  string
		bound int64
	}{
		{10, "whole lines", backSize},
		{1, "a line of stderr that may have begun anywhere", lookBack + backSize},
	} {
		b, err := newBackward(logs)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.tail(c.n, 0); err != nil {
			t.Fatal(err)
		}
		b.close()
		if b.walked > c.bound {
			t.Errorf("%s: %d bytes read", c.what, b.walked)
		}
		writeLog(t, logs, 1, lines+"stderr: oh\n")
	}
}
