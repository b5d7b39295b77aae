package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// ErrUnreadable is returned where journald lets this user read nothing.
var ErrUnreadable = errors.New("journald has nothing that this user may read; the members of the group systemd-journal may")

// Stored tells what was found of a run whose output is in journald alone.
type Stored struct {
	Lines int // entries of its streams
	// Behind: journald had not read all of them in the time that it was given.
	Behind bool
	Ended  [numStreams]bool // journald took the word that the stream is complete
	units  map[string]bool  // that it knew as theirs
	times  struct{ first, last time.Time }
}

// Complete tells whether journald was taking the run's lines to the end.
func (s *Stored) Complete(streams Streams) bool {
	for stream, ended := range s.Ended {
		if streams.Has(Stream(stream)) && !ended {
			return false
		}
	}
	return true
}

// stored reads what journald has of a run.
type stored struct {
	Stored
	joiner
	identifier string
	opt        ReadOptions
	emit       func(Line) error
	cursor     string // of the last entry
	entries    int    // of the last query
}

// ReadJournald is Read for a run whose sink is journald alone; identifier is what
// its claim says. over: it has ended, so what journald has yet to read is waited
// for, a little. Lines are always joined. Only newlines and NUL bytes end a line
// that one process writes; journald keeps no empty lines, no blanks at the end of a
// line, and of several NUL bytes in a row one.
func ReadJournald(ctx context.Context, identifier string, over bool, opt ReadOptions, emit func(Line) error) (*Stored, error) {
	s := newStored(identifier, opt, emit)
	if over {
		s.await(ctx, false)
	}
	if err := s.begin(ctx); err != nil {
		return &s.Stored, err
	}
	return &s.Stored, s.end(ctx, over)
}

func newStored(identifier string, opt ReadOptions, emit func(Line) error) *stored {
	return &stored{Stored: Stored{units: map[string]bool{}}, identifier: identifier, opt: opt, emit: emit}
}

// storedWithin bounds how long journald is waited for.
const storedWithin = 10 * time.Second

func (s *stored) await(ctx context.Context, entriesToo bool) {
	ctx, cancel := context.WithTimeout(ctx, storedWithin)
	defer cancel()
	s.Behind = !awaitRead(ctx, entriesToo)
}

// begin emits what there is.
func (s *stored) begin(ctx context.Context) error {
	if s.opt.Tail >= 0 {
		return s.tail(ctx)
	}
	return s.query(ctx, s.line)
}

// end emits what there is left.
func (s *stored) end(ctx context.Context, over bool) error {
	if over && !s.Complete(s.opt.Streams) {
		// Where journald was behind, the word of the end may stand anywhere.
		s.await(ctx, true)
		if err := s.query(ctx, s.line); err != nil {
			return err
		}
		if err := journalctl(ctx, []string{endField + "=" + s.identifier}, s.note); err != nil {
			return err
		}
	}
	for {
		line, err := s.rest(s.opt.Since)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.emit(line)
		}
		if err != nil {
			return err
		}
	}
}

// query goes through what there is after the last entry.
func (s *stored) query(ctx context.Context, take func(Line) error, args ...string) error {
	if s.cursor != "" {
		args = append(args, "--after-cursor="+s.cursor)
	}
	for _, stream := range []Stream{Stdout, Stderr} {
		if s.opt.Streams.Has(stream) {
			args = append(args, "SYSLOG_IDENTIFIER="+StreamIdentifier(s.identifier, stream))
		}
	}
	s.entries = 0
	return journalctl(ctx, append(args, "+", endField+"="+s.identifier), func(e *entry) error {
		s.entries++
		s.cursor = e.cursor
		if e.ended != "" {
			return s.note(e)
		}
		return s.piece(e, take)
	})
}

// note takes in that a stream is complete.
func (s *stored) note(e *entry) error {
	for _, stream := range []Stream{Stdout, Stderr} {
		if bytes.HasSuffix(e.message, []byte(stream.String())) {
			s.Ended[stream] = true
		}
	}
	return nil
}

// piece makes a line of an entry, with those before it if they belong to it.
func (s *stored) piece(e *entry, take func(Line) error) error {
	s.Lines++
	if e.unit != "" {
		s.units[e.unit] = true
	}
	if s.times.first.IsZero() {
		s.times.first = e.time
	}
	s.times.last = e.time
	line := Line{Time: e.time, Text: e.message}
	if strings.HasSuffix(e.identifier, "-"+Stderr.String()) {
		line.Stream = Stderr
	}
	switch e.lineBreak {
	case "line-max", "eof":
		line.Partial = true
	case "nul":
		line.Partial = true
		line.Text = append(line.Text, 0)
	}
	line, ok := s.join(line)
	if !ok {
		return nil
	}
	return take(line)
}

// line emits a line unless it is too old.
func (s *stored) line(l Line) error {
	if l.Time.Before(s.opt.Since) {
		return nil
	}
	return s.emit(l)
}

// tail emits the last lines. journalctl counts entries, of which a line may have
// many, so it is asked for more and more until there are enough.
func (s *stored) tail(ctx context.Context) error {
	n := s.opt.Tail
	for ask := 2*n + 16; ; ask *= 4 {
		found := *newStored(s.identifier, s.opt, s.emit)
		var last []Line
		lines := 0
		err := found.query(ctx, func(l Line) error {
			lines++
			if n > 0 {
				l.Text = bytes.Clone(l.Text)
				last = append(last[max(0, len(last)-n+1):], l)
			}
			return nil
		}, "--lines="+strconv.Itoa(ask))
		if err != nil {
			return err
		}
		// The first line of each stream may be the end of a longer one.
		if found.entries == ask && lines < n+numStreams {
			continue
		}
		if n == 0 {
			found.joiner = joiner{}
		}
		open := len(found.order)
		last = last[min(len(last), max(0, len(last)+open-n)):]
		*s = found
		for _, l := range last {
			if err := s.line(l); err != nil {
				return err
			}
		}
		return nil
	}
}

// journalctl goes through entries.
func journalctl(ctx context.Context, args []string, do func(*entry) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "journalctl", append([]string{"--quiet", "--no-pager", "--output=export", "--output-fields=" + exported}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	defer bindToUs(cmd)()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	err = eachEntry(out, do)
	if err != nil {
		cancel()
	}
	werr := cmd.Wait()
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case werr == nil:
		return nil
	case strings.Contains(stderr.String(), "insufficient permissions"):
		return ErrUnreadable
	}
	return fmt.Errorf("read the journal: %w: %s", werr, strings.TrimSpace(stderr.String()))
}

func eachEntry(in io.Reader, do func(*entry) error) error {
	r := newExportReader(in)
	for {
		e, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
	}
}
