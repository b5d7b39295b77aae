package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// spool keeps what was taken from the sources until it is in the log, in files
// that outlive a killed process: see "What a killed pump leaves" in doc.go, and
// docs/format.md for the files. It is used under the lock of the logs directory
// only, and none of its methods is for a nil spool but has.
type spool struct {
	path  string             // what the names of its files begin with
	hit   func(where string) // where tests end the process; nil: nowhere
	book  *os.File           // nil: not open
	parts [numStreams]part
	noted mark
	turn  uint64 // how often something was noted
	slot  [slotSize]byte
}

// part is the file of one stream. What was ever moved into it keeps its offset;
// what is done with is freed, which leaves a hole.
type part struct {
	file  *os.File
	size  int64 // moved into it
	read  int64 // read by this process
	freed int64 // from the beginning on
}

// mark says how far the log has the spool's bytes: of each stream those before
// done are in it, or lost and counted. What was written of the others stands in
// log.number from end on, and in the files that follow.
type mark struct {
	number int
	end    int64
	done   [numStreams]int64
	// mended says that the stream's first record from end on is the newline that
	// mend makes up. It stands for no byte of the spool.
	mended [numStreams]bool
}

const (
	bookSuffix = ".taken"
	spoolMagic = 0x6a6f62_6d616e_01 // "jobman", format 1

	// A mark is noted in one of two places in turns, with its turn at both ends: so
	// one that was not written to its end is known, and the other is still there.
	slotSize = 8 * 8

	// freeFrom is how many bytes must be done with before they are freed.
	freeFrom = 64 << 10
	pageSize = 4 << 10
)

// has reports whether there is something that a killed process may have left.
func (s *spool) has() bool {
	if s == nil {
		return false
	}
	_, err := os.Lstat(s.path + bookSuffix)
	return err == nil
}

// open opens the files, and makes them if need be and if create allows it. Then
// what is not done is to be read again.
func (s *spool) open(create bool) error {
	book, err := os.OpenFile(s.path+bookSuffix, os.O_RDWR|noFollow, 0)
	if errors.Is(err, fs.ErrNotExist) && create {
		book, err = nil, nil
	}
	if err != nil {
		return err
	}
	known := book != nil && s.load(book)
	flags := os.O_RDWR | os.O_CREATE | noFollow
	if !known {
		flags |= os.O_TRUNC // nothing is moved before the first mark is noted
	}
	s.book = book
	for i := range s.parts {
		if err := s.openPart(Stream(i), flags); err != nil {
			s.close()
			return err
		}
	}
	if s.book == nil {
		if s.book, err = os.OpenFile(s.path+bookSuffix, flags, fileMode); err != nil {
			s.close()
			return err
		}
	}
	if !known {
		s.noted = mark{}
		return s.write(mark{})
	}
	return nil
}

func (s *spool) openPart(stream Stream, flags int) error {
	f, err := os.OpenFile(s.path+"."+stream.String()+bookSuffix, flags, fileMode)
	if err != nil {
		return err
	}
	p := &s.parts[stream]
	*p = part{file: f}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p.size = info.Size()
	if p.size > 0 {
		p.read, p.freed = s.noted.done[stream], s.noted.done[stream]&^(pageSize-1)
	}
	if p.read > p.size {
		return fmt.Errorf("%s ends at %d, before %d", f.Name(), p.size, p.read)
	}
	return nil
}

// load finds the mark that was noted last.
func (s *spool) load(book *os.File) (known bool) {
	for i := range int64(2) {
		var slot [8]uint64
		if _, err := book.ReadAt(s.slot[:], i*slotSize); err != nil {
			continue
		}
		for w := range slot {
			slot[w] = binary.LittleEndian.Uint64(s.slot[8*w:])
		}
		if slot[0] != slot[7] || slot[6] != spoolMagic || known && slot[0] < s.turn {
			continue
		}
		known, s.turn = true, slot[0]
		s.noted = mark{int(slot[1]), int64(slot[2]), [numStreams]int64{int64(slot[3]), int64(slot[4])},
			[numStreams]bool{slot[5]&1 != 0, slot[5]&2 != 0}}
	}
	return known
}

// note makes m what is known if this process is killed now.
func (s *spool) note(m mark) error {
	if m == s.noted {
		return nil
	}
	if err := s.write(m); err != nil {
		return err
	}
	for i := range s.parts {
		if err := s.parts[i].free(m.done[i]); err != nil {
			return err
		}
	}
	s.at("freed")
	return nil
}

func (s *spool) write(m mark) error {
	s.turn++
	mended := uint64(0)
	for i, is := range m.mended {
		if is {
			mended |= 1 << i
		}
	}
	for w, v := range [8]uint64{s.turn, uint64(m.number), uint64(m.end), uint64(m.done[0]), uint64(m.done[1]), mended, spoolMagic, s.turn} {
		binary.LittleEndian.PutUint64(s.slot[8*w:], v)
	}
	if _, err := s.book.WriteAt(s.slot[:], int64(s.turn%2)*slotSize); err != nil {
		return err
	}
	s.noted = m
	s.at("noted")
	return nil
}

// free gives back the memory of what is done with.
func (p *part) free(done int64) error {
	done &^= pageSize - 1
	if done-p.freed < freeFrom {
		return nil
	}
	if err := freeRange(p.file, p.freed, done-p.freed); err != nil {
		return err
	}
	p.freed = done
	return nil
}

// pending returns how many bytes of the stream were moved and not been read.
func (s *spool) pending(stream Stream) int {
	if s == nil || s.book == nil {
		return 0
	}
	return int(s.parts[stream].size - s.parts[stream].read)
}

// read reads what is pending, or what it moves from source i first. Its errors
// are those of intake.read, or an errSpool.
func (s *spool) read(in *intake, i int, stream Stream, b []byte) (int, error) {
	p := &s.parts[stream]
	if p.read == p.size {
		n, err := in.move(i, p.file, p.size, len(b))
		if err != nil {
			return 0, err
		}
		p.size += int64(n)
		s.at("moved")
	}
	n, err := p.file.ReadAt(b[:min(int64(len(b)), p.size-p.read)], p.read)
	p.read += int64(n)
	if err != nil {
		err = fmt.Errorf("%w: %w", errSpool, err)
	}
	return n, err
}

// errSpool is an error of the spool itself.
var errSpool = errors.New("keep what is taken")

// peek returns the bytes of a stream from offset from on, up to the first newline
// and with it.
func (s *spool) peek(stream Stream, from int64) ([]byte, error) {
	b := make([]byte, s.parts[stream].size-from)
	if _, err := s.parts[stream].file.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:1+bytes.IndexByte(b, '\n')], nil
}

// remove deletes the files: nothing is pending, or it can't be kept. The book
// goes first; without it the others mean nothing.
func (s *spool) remove() error {
	errs := []error{os.Remove(s.path + bookSuffix)}
	s.at("removing")
	for i := range s.parts {
		errs = append(errs, os.Remove(s.path+"."+Stream(i).String()+bookSuffix))
	}
	s.close()
	for i, err := range errs {
		if errors.Is(err, fs.ErrNotExist) {
			errs[i] = nil // by whoever drained
		}
	}
	return errors.Join(errs...)
}

func (s *spool) close() {
	for i := range s.parts {
		if f := s.parts[i].file; f != nil {
			f.Close()
		}
		s.parts[i] = part{}
	}
	if s.book != nil {
		s.book.Close()
		s.book = nil
	}
}

func (s *spool) at(where string) {
	if s != nil && s.hit != nil {
		s.hit(where)
	}
}
