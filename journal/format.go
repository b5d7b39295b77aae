package journal

import (
	"bytes"
	"time"
)

// A record is one line of a log file:
//
//	2026-11-23T08:39:55.043764Z stdout: text     a line, or its last piece
//	2026-11-23T08:39:55.043764Z stdout+: text    a piece: the line goes on
//	stdout: text                                 without timestamps
//
// Everything but the text has a fixed width.
const (
	stampLen  = len("2006-01-02T15:04:05.000000Z")
	streamLen = len("stdout")
	maxHeader = stampLen + len(" ") + streamLen + len("+: ")

	// maxRecord bounds what a reader takes for a record, in bytes. Writers stay
	// far below (inletSize); a longer line in a file is damage and is skipped.
	maxRecord = 1 << 20
)

// record is one line of a log file, taken apart. text is part of the line it was
// read from.
type record struct {
	time    time.Time // zero without timestamps
	stream  Stream
	partial bool // the line goes on in the stream's next record
	text    []byte
}

// appendHeader appends all of a record that stands before the text. A zero time
// means no timestamp.
func appendHeader(dst []byte, t time.Time, s Stream, partial bool) []byte {
	if !t.IsZero() {
		dst = append(appendStamp(dst, t), ' ')
	}
	dst = append(dst, s.String()...)
	if partial {
		dst = append(dst, '+')
	}
	return append(dst, ':', ' ')
}

// appendStamp appends the time as RFC 3339 in UTC with exactly six fractional
// digits. time.AppendFormat takes three times as long.
func appendStamp(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(appendDigits(dst, year, 4), '-')
	dst = append(appendDigits(dst, int(month), 2), '-')
	dst = append(appendDigits(dst, day, 2), 'T')
	dst = append(appendDigits(dst, hour, 2), ':')
	dst = append(appendDigits(dst, minute, 2), ':')
	dst = append(appendDigits(dst, second, 2), '.')
	return append(appendDigits(dst, t.Nanosecond()/1000, 6), 'Z')
}

func appendDigits(dst []byte, n, width int) []byte {
	dst = append(dst, "000000"[:width]...)
	for i := len(dst) - 1; width > 0; width-- {
		dst[i] = byte('0' + n%10)
		n /= 10
		i--
	}
	return dst
}

// parser takes records apart. It remembers the last timestamp, because records
// that were written together share theirs.
type parser struct {
	stamp [stampLen]byte
	time  time.Time
}

// parse takes apart a line that has no newline any more. It is not ok if the line
// is no record, such as what is left of a torn header.
func (p *parser) parse(line []byte) (rec record, ok bool) {
	if len(line) > stampLen && line[0] != 's' {
		if rec.time, ok = p.parseStamp(line[:stampLen]); !ok || line[stampLen] != ' ' {
			return record{}, false
		}
		line = line[stampLen+1:]
	}
	if len(line) < streamLen+2 {
		return record{}, false
	}
	switch string(line[:streamLen]) {
	case "stdout":
	case "stderr":
		rec.stream = Stderr
	default:
		return record{}, false
	}
	line = line[streamLen:]
	if line[0] == '+' {
		rec.partial = true
		line = line[1:]
	}
	rec.text, ok = bytes.CutPrefix(line, []byte(": "))
	return rec, ok
}

func (p *parser) parseStamp(b []byte) (time.Time, bool) {
	if !p.time.IsZero() && string(b) == string(p.stamp[:]) {
		return p.time, true
	}
	// RFC3339Nano is the layout that the time package parses fast. It takes any
	// zone and number of digits, so the fixed places are looked at here.
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil || b[19] != '.' || b[stampLen-1] != 'Z' {
		return time.Time{}, false
	}
	copy(p.stamp[:], b)
	p.time = t
	return t, true
}
