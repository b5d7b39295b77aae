package journal

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// entry is one of journald's, with those of its fields that matter here.
type entry struct {
	cursor     string
	time       time.Time // when journald took it
	identifier string
	unit       string // as far as journald knew it
	lineBreak  string // why a line of a stream ends there, if not with a newline
	ended      string // see endField
	dropped    int    // how many messages a message about that says
	message    []byte
}

// exported are the fields that an entry is made of; journald adds cursor and time.
const exported = "MESSAGE,SYSLOG_IDENTIFIER,_SYSTEMD_UNIT,_LINE_BREAK,N_DROPPED," + endField

// exportReader reads journald's export format
// (https://systemd.io/JOURNAL_EXPORT_FORMATS): fields one a line, as NAME=VALUE, or
// as NAME with the length and the bytes of the value on the next; an empty line
// after each entry.
type exportReader struct {
	in *bufio.Reader
	e  entry
}

// maxField bounds the length of a field, in bytes: more is no journal.
const maxField = 1 << 30

func newExportReader(in io.Reader) *exportReader {
	return &exportReader{in: bufio.NewReaderSize(in, 256<<10)}
}

// next returns the next entry, which is valid until the call after. An entry that
// is cut off is none: the error is io.EOF.
func (r *exportReader) next() (*entry, error) {
	r.e = entry{message: r.e.message[:0]}
	for empty := true; ; {
		name, value, err := r.field()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		switch {
		case err != nil:
			return nil, err
		case name != nil:
			empty = false
			if err := r.e.set(name, value); err != nil {
				return nil, err
			}
		case !empty:
			return &r.e, nil
		}
	}
}

// field reads a field; no name: the entry has ended.
func (r *exportReader) field() (name, value []byte, err error) {
	line, err := r.line()
	if err != nil || len(line) == 0 {
		return nil, nil, err
	}
	if name, value, ok := bytes.Cut(line, []byte{'='}); ok {
		return name, value, nil
	}
	name = bytes.Clone(line)
	var length [8]byte
	if _, err := io.ReadFull(r.in, length[:]); err != nil {
		return nil, nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxField {
		return nil, nil, fmt.Errorf("read the journal: the field %s has %d bytes", name, n)
	}
	value = make([]byte, n+1)
	if _, err := io.ReadFull(r.in, value); err != nil {
		return nil, nil, err
	}
	return name, value[:n], nil
}

// line reads a line and returns it without its newline.
func (r *exportReader) line() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		var rest []byte
		rest, err = r.in.ReadBytes('\n')
		line = append(long, rest...)
	}
	if err != nil {
		return nil, err // an unfinished line is none
	}
	return line[:len(line)-1], nil
}

func (e *entry) set(name, value []byte) (err error) {
	switch string(name) {
	case "__CURSOR":
		e.cursor = string(value)
	case "__REALTIME_TIMESTAMP":
		var usec int64
		if usec, err = strconv.ParseInt(string(value), 10, 64); err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
		e.time = time.UnixMicro(usec).UTC()
	case "MESSAGE":
		e.message = append(e.message[:0], value...)
	case "SYSLOG_IDENTIFIER":
		e.identifier = string(value)
	case "_SYSTEMD_UNIT":
		e.unit = string(value)
	case "_LINE_BREAK":
		e.lineBreak = string(value)
	case endField:
		e.ended = string(value)
	case "N_DROPPED":
		if e.dropped, err = strconv.Atoi(string(value)); err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
	}
	return nil
}
