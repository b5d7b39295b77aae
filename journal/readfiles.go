package journal

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
)

// position is a place in a run's log files.
type position struct {
	number int // of the file
	offset int64
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.number, q.number), cmp.Compare(p.offset, q.offset))
}

// files reads the lines of log.1, log.2, ... as one text. Files may grow, be added
// at the end and vanish at the beginning meanwhile.
type files struct {
	logs   string
	file   *os.File // nil: there is none, or it has vanished
	number int      // of file; 0: none yet
	closed bool     // a newer file was seen, so that this one grows no more
	skip   bool     // inside a line that is too long to be a record
	gone   [2]int   // the first and last of files that were deleted before this one; 0: none

	buf    []byte // read and not returned: buf[pos:]
	pos    int
	offset int64 // of buf[0] in the file
}

const readSize = 128 << 10

// next returns the next line without its newline, valid until the next call, and
// where it starts. The error is io.EOF at the current end. A last line that has no
// newline yet is returned only if final says that it won't get one: it is torn. In
// a file that is followed by another it counts as if repaired.
func (f *files) next(final bool) (line []byte, torn bool, at position, err error) {
	for {
		if line, at, ok := f.buffered(); ok {
			return line, false, at, nil
		}
		if more, err := f.fill(); more || err != nil {
			if err != nil {
				return nil, false, at, err
			}
			continue
		}
		newer, err := f.newer()
		if err != nil {
			return nil, false, at, err
		}
		if newer == 0 {
			if final {
				line, at = f.remainder()
			}
			if len(line) == 0 {
				return nil, false, at, io.EOF
			}
			return line, true, at, nil
		}
		if f.file != nil && !f.closed {
			f.closed = true // but it may have grown since it was read
			continue
		}
		line, at = f.remainder()
		gone := f.gone
		if newer > f.number+1 {
			gone = [2]int{f.number + 1, newer - 1}
		}
		if err := f.open(position{number: newer}); err != nil {
			return nil, false, at, err
		}
		f.gone = gone
		if len(line) > 0 {
			return line, false, at, nil
		}
	}
}

// newer returns the number of the file that follows; 0: none.
func (f *files) newer() (int, error) {
	if f.number > 0 { // mostly it is the next, and listing is slow where there are thousands
		if _, err := os.Lstat(logPath(f.logs, f.number+1)); err == nil {
			return f.number + 1, nil
		}
	}
	numbers, err := logNumbers(f.logs)
	if err != nil {
		return 0, err
	}
	for _, n := range numbers {
		if n > f.number {
			return n, nil
		}
	}
	return 0, nil
}

// open goes to a position. That its file has vanished is no error: what follows it
// is found later.
func (f *files) open(p position) error {
	if err := f.close(); err != nil {
		return err
	}
	*f = files{logs: f.logs, buf: f.buf[:0]}
	if p.number == 0 {
		return nil
	}
	file, err := openLog(f.logs, p.number)
	if errors.Is(err, fs.ErrNotExist) {
		f.number = p.number - 1 // as if that had been read
		return nil
	}
	f.file, f.number, f.offset = file, p.number, p.offset
	return err
}

func (f *files) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// buffered returns the next line of buf.
func (f *files) buffered() (line []byte, at position, ok bool) {
	for {
		at = position{f.number, f.offset + int64(f.pos)}
		i := bytes.IndexByte(f.buf[f.pos:], '\n')
		if i < 0 {
			return nil, at, false
		}
		line = f.buf[f.pos : f.pos+i]
		f.pos += i + 1
		if !f.skip {
			return line, at, true
		}
		f.skip = false
	}
}

// remainder returns what stands behind the last newline.
func (f *files) remainder() (line []byte, at position) {
	line, at = f.buf[f.pos:], position{f.number, f.offset + int64(f.pos)}
	f.pos = len(f.buf)
	if f.skip {
		return nil, at
	}
	return line, at
}

// fill reads more of the file into buf, unless there is no more, or no file.
func (f *files) fill() (more bool, err error) {
	if f.file == nil {
		return false, nil
	}
	f.makeRoom()
	n, err := f.file.ReadAt(f.buf[len(f.buf):cap(f.buf)], f.offset+int64(len(f.buf)))
	f.buf = f.buf[:len(f.buf)+n]
	if n > 0 || err == io.EOF {
		return n > 0, nil // an error comes again
	}
	return false, err
}

// makeRoom moves what is left of buf to its beginning, and grows it where that is
// not enough.
func (f *files) makeRoom() {
	if len(f.buf)-f.pos > maxRecord {
		f.skip = true
		f.pos = len(f.buf)
	}
	f.offset += int64(f.pos)
	f.buf = f.buf[:copy(f.buf, f.buf[f.pos:])]
	f.pos = 0
	if free := cap(f.buf) - len(f.buf); free < readSize/2 {
		f.buf = append(make([]byte, 0, 2*cap(f.buf)+readSize), f.buf...)
	}
}
