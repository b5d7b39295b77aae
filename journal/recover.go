package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// resume is for the lock that was just taken. With a spool, what a killed process
// left in it is found, and where the log ends is noted before anything is taken.
func (a *appender) resume() {
	if a.spool != nil && a.spool.book == nil {
		a.openSpool()
	}
	if a.spool == nil && a.limits.bytes == 0 {
		return
	}
	if !a.backingOff() {
		if err := a.prepare(); err != nil {
			a.fail(err)
		}
	}
	a.note()
}

// openSpool opens the spool. Where there can be none, output is copied without.
func (a *appender) openSpool() {
	err := a.spool.open(a.create)
	if !a.create && errors.Is(err, fs.ErrNotExist) {
		err = a.spool.remove() // who was killed in it did not come to the end
		a.spool = nil
	}
	if err != nil {
		a.errs = append(a.errs, fmt.Errorf("%w: %w", errSpool, err))
		a.spool = nil
	}
	if a.spool == nil {
		return
	}
	if err := a.recover(); err != nil {
		// What is pending is written again: rather twice than not at all.
		a.errs = append(a.errs, fmt.Errorf("find what a killed pump has written: %w", err))
	}
}

// recover finds out how much of the spool a killed process brought into the log,
// so that what is pending goes there once.
func (a *appender) recover() (err error) {
	s := a.spool
	a.mark = s.noted
	if s.pending(Stdout)+s.pending(Stderr) == 0 {
		a.mark.mended = [numStreams]bool{}
		return nil
	}
	f := files{logs: a.lock.logs}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.open(position{a.mark.number, a.mark.end}); err != nil {
		return err
	}
	var p parser
	for {
		line, torn, at, err := f.next(true)
		switch {
		case errors.Is(err, io.EOF):
			a.mark.mended = [numStreams]bool{}
			a.restEnd = f.offset + int64(f.pos)
			if a.rest == nil {
				a.mark.number, a.mark.end = f.number, a.restEnd
			}
			return nil
		case err != nil:
			return err
		}
		rec, ok := p.parse(line)
		if !ok {
			continue // a torn header: its text is still pending
		}
		if torn && !rec.partial && !a.mark.mended[rec.stream] {
			a.mark.number, a.mark.end = at.number, at.offset
			if err := a.complete(rec); err != nil {
				return err
			}
			continue
		}
		a.account(rec)
	}
}

// account counts a record that came into the log.
func (a *appender) account(rec record) {
	if a.mark.mended[rec.stream] {
		a.mark.mended[rec.stream] = false
		return
	}
	n := len(rec.text)
	if !rec.partial {
		n++
	}
	part := &a.spool.parts[rec.stream]
	part.read = min(part.read+int64(n), part.size)
	a.mark.done[rec.stream] = part.read
}

// complete is for a whole line whose record was torn: the rest of it is what
// repairs the file, rather than a newline before its time.
func (a *appender) complete(rec record) error {
	part := &a.spool.parts[rec.stream]
	rest, err := a.spool.peek(rec.stream, part.read+int64(len(rec.text)))
	if err != nil || len(rest) == 0 {
		return err
	}
	a.rest, a.restOf = rest, rec.stream
	part.read += int64(len(rec.text) + len(rest))
	a.restDone = part.read
	return nil
}

// note notes how far the log is. A spool that can't be written is given up.
func (a *appender) note() {
	if a.spool == nil || a.spool.book == nil {
		return
	}
	if err := a.spool.note(a.mark); err != nil {
		a.unspool(err)
	}
}

// unspool gives the spool up: what is read from now on is lost if this process is
// killed before it is written.
func (a *appender) unspool(why error) {
	a.errs = append(a.errs, why, a.spool.remove())
	a.spool = nil
}

// retire deletes the spool when all that is in it is in the log. Who has the lock
// now will do so too.
func (a *appender) retire() {
	if a.spool == nil || a.spool.book == nil {
		return
	}
	if a.spool.pending(Stdout)+a.spool.pending(Stderr) > 0 {
		a.spool.close()
		return
	}
	if !a.lock.held {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		if a.lock.acquire(over) != nil {
			a.spool.close()
			return
		}
	}
	if err := a.spool.remove(); err != nil {
		a.errs = append(a.errs, err)
	}
}
