package journal

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

const backSize = 64 << 10

// backward goes through the records of a run's log files from the last to the
// first, as far as their headers.
type backward struct {
	logs    string
	numbers []int // files still to be read; the last is next
	parser  parser
	walked  int64 // bytes read

	file   *os.File
	number int
	newest bool // file is the last of all
	size   int64
	torn   int64 // where its last record starts if that has no newline; else -1

	buf  []byte // a part of the file, and the header that may begin at its end
	low  int64  // offset of buf[0]
	edge int64  // newlines from here on have been met; less than 0: the file is done
}

func newBackward(logs string) (*backward, error) {
	numbers, err := logNumbers(logs)
	return &backward{logs: logs, numbers: numbers, buf: make([]byte, 0, backSize+maxHeader)}, err
}

func (b *backward) close() {
	if b.file != nil {
		b.file.Close()
		b.file = nil
	}
}

// end returns the end of the newest file, before a record that is not written to
// its end.
func (b *backward) end() (position, error) {
	_, err := b.prevStart()
	if errors.Is(err, io.EOF) {
		return position{b.number, 0}, nil
	}
	if b.torn >= 0 {
		return position{b.number, b.torn}, err
	}
	return position{b.number, b.size}, err
}

// prev returns the record before the last one returned. Its text may be cut short.
// io.EOF: there is none.
func (b *backward) prev() (record, position, error) {
	for {
		start, err := b.prevStart()
		if err != nil {
			return record{}, position{}, err
		}
		line := b.buf[start-b.low:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		rec, ok := b.parser.parse(line)
		if !ok {
			continue
		}
		if b.newest && start == b.torn {
			rec.partial = true // as Reader.Next has it
		}
		return rec, position{b.number, start}, nil
	}
}

// prevStart returns where the line before starts. At least its header is in buf.
func (b *backward) prevStart() (int64, error) {
	for {
		if b.file == nil || b.edge < 0 {
			if err := b.older(); err != nil {
				return 0, err
			}
		}
		newline, err := b.prevNewline()
		if err != nil {
			return 0, err
		}
		start := newline + 1
		if b.edge == b.size && start < b.size {
			b.torn = start
		}
		b.edge = newline
		if start < b.size {
			return start, nil
		}
	}
}

// older opens the next file. One that has vanished was deleted, and then all
// older ones were; if it was the newest, there is a newer one now.
func (b *backward) older() error {
	b.newest = b.file == nil
	b.close()
	if len(b.numbers) == 0 {
		return io.EOF
	}
	b.number = b.numbers[len(b.numbers)-1]
	b.numbers = b.numbers[:len(b.numbers)-1]
	f, err := openLog(b.logs, b.number)
	if errors.Is(err, fs.ErrNotExist) && b.newest {
		if b.numbers, err = logNumbers(b.logs); err != nil {
			return err
		}
		return b.older()
	}
	if errors.Is(err, fs.ErrNotExist) {
		b.numbers = nil
		return io.EOF
	}
	if err != nil {
		return err
	}
	b.file = f
	info, err := f.Stat()
	if err != nil {
		return err
	}
	b.size = info.Size()
	b.low, b.edge, b.torn = b.size, b.size, -1
	b.buf = b.buf[:0]
	return nil
}

// prevNewline returns the offset of the last newline before edge; -1: there is
// none.
func (b *backward) prevNewline() (int64, error) {
	for edge := b.edge; ; {
		if edge > b.low {
			if i := bytes.LastIndexByte(b.buf[:edge-b.low], '\n'); i >= 0 {
				return b.low + int64(i), nil
			}
		}
		if b.low == 0 {
			return -1, nil
		}
		edge = b.low
		b.low = max(0, edge-backSize)
		b.buf = b.buf[:min(b.size-b.low, edge-b.low+int64(maxHeader))]
		if _, err := b.file.ReadAt(b.buf, b.low); err != nil {
			return 0, err
		}
		b.walked += edge - b.low
	}
}
