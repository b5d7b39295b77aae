package journal

import (
	"io"
	"slices"
	"time"
)

// joint is a line whose newline is still to come.
type joint struct {
	time time.Time
	text []byte
}

// joiner puts the pieces of lines together.
type joiner struct {
	open  [numStreams]joint
	order []Stream // the streams whose line is open, by their last piece
}

// join adds a piece to the line it belongs to. It is ok when that makes a line to
// return: whole, or as long as it may become.
func (j *joiner) join(piece Line) (line Line, ok bool) {
	s := piece.Stream
	open := &j.open[s]
	place := slices.Index(j.order, s)
	if place < 0 {
		if !piece.Partial {
			return piece, true
		}
		if cap(open.text) > maxRecord {
			open.text = nil // one very long line must not cost its memory for ever
		}
		open.time, open.text = piece.Time, open.text[:0]
	} else {
		j.order = slices.Delete(j.order, place, place+1)
	}
	open.text = append(open.text, piece.Text...)
	if piece.Partial && len(open.text) < maxLine {
		j.order = append(j.order, s)
		return Line{}, false
	}
	return Line{open.time, s, open.text, piece.Partial}, true
}

// rest returns the unfinished lines that are not older, one a call, and then io.EOF.
func (j *joiner) rest(since time.Time) (Line, error) {
	for len(j.order) > 0 {
		s := j.order[0]
		j.order = j.order[1:]
		if open := j.open[s]; !open.time.Before(since) {
			return Line{open.time, s, open.text, true}, nil
		}
	}
	return Line{}, io.EOF
}
