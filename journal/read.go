package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// ErrNoTimestamps is returned when ReadOptions.Since is set for a log that was
// written without timestamps.
var ErrNoTimestamps = errors.New("this output has no timestamps")

// All is the Tail that leaves nothing out.
const All = -1

// ReadOptions choose what a Reader returns and how.
type ReadOptions struct {
	// Streams to read. The zero value means all.
	Streams Streams

	// Join puts the pieces of a line together, and returns it once its newline is
	// there; its time is that of the first piece. Without it pieces are returned as
	// they stand, as soon as they do, which is what raw output wants.
	Join bool

	// Tail starts with the last lines of those there are when the Reader is opened;
	// 0: with what is new, [All]: with the first. It counts whole lines of the
	// selected streams, with or without Join; a last line without newline is one
	// too. A line stands where its last piece does.
	Tail int

	// Since leaves out what is older. It needs timestamps. With Tail both must hold.
	Since time.Time

	// Deleted, if not nil, is called when log.first to log.last were deleted before
	// they were read: what is returned next does not follow on what came before, or
	// is not the beginning.
	Deleted func(first, last int)
}

// Line is a line, or without ReadOptions.Join a piece of one.
type Line struct {
	Time   time.Time // zero without timestamps
	Stream Stream
	// Text is without the newline. It is valid until the next call.
	Text []byte
	// Partial says that no newline followed: in the output, or with Join within the
	// first 16 MiB of the line, or as far as can be known.
	Partial bool
}

// maxLine is what Join puts together at most, in bytes.
const maxLine = 16 << 20

// Reader reads a run's output. It is for one goroutine.
type Reader struct {
	files  files
	parser parser
	opt    ReadOptions
	start  [numStreams]position
	joiner
	finished bool
	over     bool // finished, and all was read

	// What comes behind a gap waits for the lines that end at it.
	behind     []byte
	behindTorn bool
	behindAt   position
}

// Open starts reading the output in the directory logs. That need not exist (yet).
// Close the Reader when done.
func Open(logs string, opt ReadOptions) (*Reader, error) {
	r := &Reader{files: files{logs: logs}, opt: opt}
	if opt.Tail >= 0 {
		start, err := findTail(logs, opt.Tail, opt.Streams)
		if err != nil {
			return nil, fmt.Errorf("find the last lines: %w", err)
		}
		r.start = start
		if first := slices.MinFunc(start[:], position.compare); first.number > 0 {
			if err := r.files.open(first); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// Next returns the next line or piece. At the end of what is there now the error
// is io.EOF, and Next can be called again when more was written. An unfinished
// line that Join holds back, and a record that is not written to its end, come
// only after [Reader.Finish]. The error may be ErrNoTimestamps.
func (r *Reader) Next() (Line, error) {
	for {
		if r.over {
			return r.rest(r.opt.Since)
		}
		raw, torn, at, err := r.next()
		if r.files.gone[0] > 0 && err == nil {
			if line, rerr := r.rest(r.opt.Since); rerr == nil {
				r.behind, r.behindTorn, r.behindAt = raw, torn, at
				return line, nil
			}
			r.tellGone()
		}
		if errors.Is(err, io.EOF) && r.finished {
			r.over = true
			return r.rest(r.opt.Since)
		}
		if err != nil {
			return Line{}, err
		}
		r.over = torn // its rest, should it come, does not belong to what there is
		rec, ok := r.parser.parse(raw)
		if !ok {
			continue // what is left of a torn header, or damage
		}
		if !r.opt.Since.IsZero() && rec.time.IsZero() {
			return Line{}, ErrNoTimestamps
		}
		if !r.opt.Streams.Has(rec.stream) || at.compare(r.start[rec.stream]) < 0 {
			continue
		}
		line := Line{rec.time, rec.stream, rec.text, rec.partial || torn}
		if r.opt.Join {
			if line, ok = r.join(line); !ok {
				continue
			}
		}
		if !line.Time.Before(r.opt.Since) {
			return line, nil
		}
	}
}

// next returns the next line of the files.
func (r *Reader) next() (raw []byte, torn bool, at position, err error) {
	if raw = r.behind; raw != nil {
		r.behind = nil
		return raw, r.behindTorn, r.behindAt, nil
	}
	return r.files.next(r.finished)
}

func (r *Reader) tellGone() {
	gone := r.files.gone
	r.files.gone = [2]int{}
	if r.opt.Deleted != nil {
		r.opt.Deleted(gone[0], gone[1])
	}
}

// Finish says that no more will be written, or is of interest: at the end Next then
// returns what it held back, as Partial, and after that only io.EOF.
func (r *Reader) Finish() { r.finished = true }

// Close closes the files.
func (r *Reader) Close() error { return r.files.close() }

// Read calls emit for all the output there is now, unfinished lines included.
// Errors are those of Open, of reading, of the context, and emit's own.
func Read(ctx context.Context, logs string, opt ReadOptions, emit func(Line) error) error {
	if opt.Tail == 0 {
		return nil // nothing of what there is; a record being written would be new
	}
	r, err := Open(logs, opt)
	if err != nil {
		return err
	}
	defer r.Close()
	r.Finish()
	return r.each(ctx, emit)
}

// each calls emit up to the current end.
func (r *Reader) each(ctx context.Context, emit func(Line) error) error {
	for ctx.Err() == nil {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := emit(line); err != nil {
			return err
		}
	}
	return ctx.Err()
}
