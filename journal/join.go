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

// join adds a piece to the line it belongs to. It is ok when that makes a line to
// return: whole, or as long as it may become.
func (r *Reader) join(piece Line) (line Line, ok bool) {
	s := piece.Stream
	open := &r.open[s]
	place := slices.Index(r.order, s)
	if place < 0 {
		if !piece.Partial {
			return piece, true
		}
		if cap(open.text) > maxRecord {
			open.text = nil // one very long line must not cost its memory for ever
		}
		open.time, open.text = piece.Time, open.text[:0]
	} else {
		r.order = slices.Delete(r.order, place, place+1)
	}
	open.text = append(open.text, piece.Text...)
	if piece.Partial && len(open.text) < maxLine {
		r.order = append(r.order, s)
		return Line{}, false
	}
	return Line{open.time, s, open.text, piece.Partial}, true
}

// rest returns the unfinished lines, one a call, and then io.EOF.
func (r *Reader) rest() (Line, error) {
	for len(r.order) > 0 {
		s := r.order[0]
		r.order = r.order[1:]
		if open := r.open[s]; !open.time.Before(r.opt.Since) {
			return Line{open.time, s, open.text, true}, nil
		}
	}
	return Line{}, io.EOF
}
