package journal

import (
	"errors"
	"io"
)

// lookBack is how much of the files, in bytes, is searched for the first pieces of
// a line once it is known to be shown. Without a bound one line on stderr, which
// may have begun anywhere, would have all of a big stdout read.
const lookBack = maxLine

// tail finds the last lines of the chosen streams, going through the records from
// the last to the first. A line is counted when its last record is met, and begins
// where the search meets the last record of the line before it.
type tail struct {
	missing int                  // lines still to be found
	start   [numStreams]position // of the first record to be shown
	seen    [numStreams]bool     // a record was met
	inside  [numStreams]bool     // the beginning of a line to be shown is still to come
}

// findTail returns from where on each stream is to be read for the last n lines.
// It reads no more of the files than it must.
func findTail(logs string, n int, streams Streams) (start [numStreams]position, err error) {
	b, err := newBackward(logs)
	if err != nil {
		return start, err
	}
	defer b.close()
	return b.tail(n, streams)
}

func (b *backward) tail(n int, streams Streams) (start [numStreams]position, err error) {
	if n == 0 {
		end, err := b.end()
		return [numStreams]position{end, end}, err
	}
	t := tail{missing: n}
	for beyond := int64(0); t.missing > 0 || t.searching() && b.walked-beyond < lookBack; {
		rec, at, err := b.prev()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return start, err
		}
		if !streams.Has(rec.stream) {
			continue
		}
		if t.missing > 0 {
			beyond = b.walked
		}
		t.add(rec, at)
	}
	if t.missing > 0 {
		return start, nil // fewer lines than asked for: all
	}
	return t.start, nil
}

func (t *tail) searching() bool { return t.inside != [numStreams]bool{} }

func (t *tail) add(rec record, at position) {
	s := rec.stream
	lastOfLine := !rec.partial || !t.seen[s]
	t.seen[s] = true
	switch {
	case !lastOfLine:
		if t.inside[s] {
			t.start[s] = at
		}
	case t.missing == 0:
		t.inside[s] = false
	default:
		t.inside[s] = true
		t.start[s] = at
		if t.missing--; t.missing == 0 {
			// What was met so far is after this; what comes is not to be shown, unless
			// it belongs to a line that is.
			t.start = [numStreams]position{at, at}
		}
	}
}
