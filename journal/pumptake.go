package journal

import (
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// inletSize is the buffer of one source, in bytes. A pipe holds 64 KiB unless
	// told otherwise, so one read empties it.
	inletSize = 256 << 10

	// maxHeld is how long an unfinished line may become, in bytes, before what
	// there is of it is written as a piece.
	maxHeld = 64 << 10

	// A pipe is small again after that many reads of less than that many bytes.
	calmReads = 100
	calmBytes = 4 << 10
)

// inlet is a source with the beginning of its unfinished line.
type inlet struct {
	stream Stream
	index  int // in the intake
	ended  bool
	grown  bool // it was found full, and was made bigger
	calm   int  // how often in a row there was little in it since
	buf    []byte
	held   int       // buf[:held] has been read and not been gathered
	due    time.Time // when the held bytes are to be written, rest or no rest
}

// take reads a source once and gathers what came. It returns the number of bytes
// read: 0 if there was nothing.
func (p *pump) take(in *inlet) int {
	n, err := p.read(in, in.buf[in.held:])
	if n > 0 {
		p.last = time.Now()
		p.fit(in, n)
		p.log.at(p.opt.now())
		p.gather(in, in.held+n)
	}
	switch {
	case err == nil || errors.Is(err, errNothing):
	case errors.Is(err, io.EOF):
		p.end(in)
	default:
		p.errs = append(p.errs, fmt.Errorf("read %v: %w", in.stream, err))
		p.end(in)
	}
	return n
}

// fit makes a pipe bigger that was found full, and small again when its writer has
// become slow.
func (p *pump) fit(in *inlet, n int) {
	switch {
	case n >= pipeSize:
		in.calm = 0
		if !in.grown {
			in.grown = true
			p.intake.resize(in.index, grownSize)
		}
	case in.grown && n < calmBytes:
		if in.calm++; in.calm >= calmReads {
			in.grown, in.calm = false, 0
			p.intake.resize(in.index, pipeSize)
		}
	}
}

// read reads a source, by way of the spool if there is one.
func (p *pump) read(in *inlet, b []byte) (int, error) {
	if s := p.log.spool; s != nil && s.book != nil {
		n, err := s.read(p.intake, in.index, in.stream, b)
		if !errors.Is(err, errSpool) {
			return n, err
		}
		p.log.unspool(err)
		if n > 0 {
			return n, nil
		}
	}
	return p.intake.read(in.index, b)
}

// gather hands the lines in buf[:n] on, and holds back the unfinished last one.
func (p *pump) gather(in *inlet, n int) {
	used := p.log.lines(in.stream, in.buf[:n])
	switch rest := in.buf[used:n]; {
	case len(rest) >= maxHeld:
		p.log.piece(in.stream, rest)
		in.held = 0
	case used > 0 || in.held == 0:
		in.held = copy(in.buf, rest)
		in.due = p.last.Add(p.opt.Hold)
	default:
		in.held = n // already at its place, and due as before
	}
}

// letGo writes what is gathered, and what was held back long enough.
func (p *pump) letGo(now time.Time) {
	holding := false
	for _, in := range p.inlets {
		if in.held > 0 && !now.Before(in.due) {
			p.writeHeld(in)
		}
		holding = holding || in.held > 0
	}
	p.log.flush()
	if !holding {
		p.log.release()
	}
}

func (p *pump) writeHeld(in *inlet) {
	if in.held > 0 {
		p.log.at(p.opt.now())
		p.log.piece(in.stream, in.buf[:in.held])
		in.held = 0
	}
}

func (p *pump) end(in *inlet) {
	p.writeHeld(in)
	in.ended = true
	p.intake.drop(in.index)
}
