package journal

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strconv"
	"unicode/utf8"

	"jobman/job"
)

// Of a run that goes to journald, these are the levels, see syslog(3): a program
// says many things on stderr that are no error.
const (
	levelInfo    = 6 // stdout
	levelWarning = 4 // stderr
)

func priority(s Stream) int {
	if s == Stderr {
		return levelWarning
	}
	return levelInfo
}

// Origin says whose output an entry of journald is.
type Origin struct {
	Ref        job.Ref
	Identifier string // SYSLOG_IDENTIFIER
	Name       string // JOBMAN_JOB_NAME; empty: it is left out
}

// NewOrigin is that of a run: its job's name, or that of its program. A job that
// was given no name is called by its command line, which is not for everybody who
// may read the journal.
func NewOrigin(ref job.Ref, spec *job.Spec) Origin {
	o := Origin{Ref: ref, Identifier: filepath.Base(string(spec.Command[0]))}
	if spec.Named() {
		o.Identifier, o.Name = spec.Name, spec.ShortName()
	}
	return o
}

// fields are those that all entries of a stream share, in journald's native
// protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
func (o Origin) fields(s Stream) []byte {
	var b []byte
	b = appendField(b, "PRIORITY", strconv.Itoa(priority(s)))
	b = appendField(b, "SYSLOG_IDENTIFIER", o.Identifier)
	b = appendField(b, "JOBMAN_JOB_ID", string(o.Ref.ID))
	if o.Name != "" {
		b = appendField(b, "JOBMAN_JOB_NAME", o.Name)
	}
	b = appendField(b, "JOBMAN_RUN", strconv.Itoa(o.Ref.Run))
	return appendField(b, "JOBMAN_STREAM", s.String())
}

// appendField appends a field: as text, or where that can't hold it with its
// length.
func appendField[T string | []byte](b []byte, name string, value T) []byte {
	b = append(b, name...)
	if bytes.IndexByte([]byte(value), '\n') < 0 && utf8.Valid([]byte(value)) {
		b = append(b, '=')
	} else {
		b = append(b, '\n')
		b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
	}
	return append(append(b, value...), '\n')
}

// maxCopied is how many bytes of a line are copied to journald: as many as it
// takes itself of a line of a stream, and well below what a datagram may hold.
const maxCopied = 48 << 10

// appendEntry appends the entry of a record.
func appendEntry(b, fields []byte, rec record) []byte {
	b = append(b, fields...)
	text := rec.text
	if len(text) > maxCopied {
		b = appendField(b, "JOBMAN_CUT", strconv.Itoa(len(text)))
		text = text[:maxCopied]
	}
	if rec.partial {
		b = appendField(b, "JOBMAN_PARTIAL", "1")
	}
	return appendField(b, "MESSAGE", text)
}
