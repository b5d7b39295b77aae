package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// outSize is how many bytes of records are gathered for one write.
	outSize = 256 << 10

	// retryAfter is how long nothing is tried after a write failed, so that a full
	// disk costs nothing while the job goes on printing.
	retryAfter = 100 * time.Millisecond
)

// appender turns what a run wrote into records and appends them to the newest log
// file. It never fails towards its caller: what can't be written is counted.
//
// Its lock is to be held from before the bytes are taken until after flush.
type appender struct {
	lock   dirLock
	stamps bool
	write  func(*os.File, []byte) (int, error) // os.File.Write; a test's may fail
	limits limits

	file     *os.File
	number   int   // of the file
	sound    bool  // file ends with a newline: known since the lock was taken
	end      int64 // of the file, as far as this appender has seen to it
	room     int   // how much more of out may go into the file
	full     int   // the number of a file that gets no more; 0: none
	lastByte [1]byte
	out      []byte // records not yet written; its capacity never grows

	heads [numStreams][2][]byte // for the current time; second index 1: partial
	now   time.Time

	// Whether a stream's last record was a piece: as the file is, and counting what
	// is in out.
	written, gathered [numStreams]bool
	// broken says that the line which is open in the file ended among lost bytes.
	broken [numStreams]bool

	// torn is the stream whose whole line was cut off by a failed write, its newline
	// counted as lost until the repair brings it; -1: none.
	torn int

	// What was taken, if that is kept, and how far the log has it.
	spool  *spool
	create bool              // the spool, if there is none
	mark   mark              // as of the last flush
	raw    [numStreams]int64 // bytes of the streams in out

	// The rest of a line whose record a killed process has torn, and where in the
	// spool it ends. It is the next to be written.
	rest     []byte
	restOf   Stream
	restDone int64
	restEnd  int64 // where the file with the torn record ends

	retry time.Time // nothing is tried before
	err   error     // why the last write failed
	new   Loss      // not yet recorded
	lost  Loss      // all since the start
	errs  []error   // what else went wrong

	pruning error // why old files could not be deleted

	copy  *copier   // nil: there is no copy in journald
	noted time.Time // when what the copy lacks was recorded last
}

func newAppender(logs string, opt Options) *appender {
	a := &appender{
		lock:   dirLock{logs: logs},
		stamps: opt.Timestamps,
		write:  opt.write,
		limits: limits{opt.MaxBytes, opt.MaxFiles},
		torn:   -1,
		out:    make([]byte, 0, outSize+inletSize+2*(maxHeader+1)), // as far as lines can overshoot
	}
	if a.write == nil {
		a.write = (*os.File).Write
	}
	if opt.Spool != "" && canMove {
		a.spool, a.create = &spool{path: opt.Spool, hit: opt.hit}, true
	}
	a.measure()
	return a
}

// acquire takes the lock before bytes are read. Only the context's end is an
// error; when there can be no lock, because there can be no directory for it, the
// bytes are as good as lost anyway and flush will find out.
func (a *appender) acquire(ctx context.Context) error {
	if a.lock.held || a.lock.file == nil && a.backingOff() {
		return nil
	}
	if err := a.lock.acquire(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.fail(err)
		return nil
	}
	a.resume()
	return nil
}

// release lets others write. Nothing may be gathered or held back any more.
func (a *appender) release() {
	a.record()
	a.sound = false
	a.lock.release()
}

// close flushes and releases. The error tells what was lost since the start.
func (a *appender) close() error {
	a.flush()
	a.retire()
	a.release()
	a.copy.close() // without the lock: who records the end may wait for it
	a.noted = time.Time{}
	if a.new != (Loss{}) || a.copy.lacks() {
		// There was no room for the lock. Perhaps there is now, for the record.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = a.lock.acquire(ctx)
		a.retire()
		a.release()
	}
	a.lock.close()
	a.closeFile()
	if n := a.lost.Total(); n > 0 {
		a.errs = append(a.errs, fmt.Errorf("%d bytes of output lost: %w", n, a.err))
	}
	return errors.Join(append(a.errs, a.pruning)...)
}

// at sets the time that the following records get.
func (a *appender) at(now time.Time) {
	a.now = now
	stamp := now
	if !a.stamps {
		stamp = time.Time{}
		if a.heads[0][0] != nil {
			return
		}
	}
	for s := range a.heads {
		for partial := range a.heads[s] {
			a.heads[s][partial] = appendHeader(a.heads[s][partial][:0], stamp, Stream(s), partial == 1)
		}
	}
}

// lines gathers a record for each whole line of b and returns the length of these
// lines. What follows the last newline is left to the caller.
func (a *appender) lines(s Stream, b []byte) (n int) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return 0
	}
	a.mend(s)
	head := a.heads[s][0]
	for ; i >= 0; i = bytes.IndexByte(b[n:], '\n') {
		if size := len(head) + i + 1; len(a.out)+size > a.room {
			a.turn(s, size)
		}
		a.out = append(a.out, head...)
		a.out = append(a.out, b[n:n+i+1]...)
		a.gathered[s] = false
		n += i + 1
		a.raw[s] += int64(i + 1)
		if len(a.out) >= outSize {
			a.flush()
			a.mend(s)
		}
	}
	return n
}

// piece gathers a record of bytes that no newline follows.
func (a *appender) piece(s Stream, b []byte) {
	a.mend(s)
	if size := len(a.heads[s][1]) + len(b) + 1; len(a.out)+size > a.room {
		a.turn(s, size)
	}
	a.out = append(a.out, a.heads[s][1]...)
	a.out = append(a.out, b...)
	a.out = append(a.out, '\n')
	a.gathered[s] = true
	a.raw[s] += int64(len(b))
	if len(a.out) >= outSize {
		a.flush()
	}
}

// flush writes what was gathered, or counts it as lost.
func (a *appender) flush() {
	if len(a.out) == 0 {
		return
	}
	if a.mark.mended != [numStreams]bool{} {
		a.note() // that newlines come which no program wrote
	}
	n, err := a.append(a.out)
	if err != nil {
		a.drop(n)
	}
	a.copy.add(a.out)
	a.mark.mended = [numStreams]bool{}
	a.written = a.gathered
	a.out = a.out[:0]
	for s, n := range a.raw {
		a.mark.done[s] += n
		a.raw[s] = 0
	}
	a.note()
}

// append writes b behind the newest log file, which it opens and repairs if need
// be. It returns how much of b came into the file.
func (a *appender) append(b []byte) (int, error) {
	if !a.lock.held || a.backingOff() {
		return 0, a.err
	}
	err := a.prepare()
	if err != nil {
		a.fail(err)
		return 0, err
	}
	n, err := a.write(a.file, b)
	a.grown(n)
	if err != nil {
		a.fail(err)
	}
	return n, err
}

// grown notes, for the spool and for rotation, that the file is longer now.
func (a *appender) grown(n int) {
	a.end += int64(n)
	a.mark.number, a.mark.end = a.number, a.end
	a.measure()
}

// prepare opens the file and ends a torn last record in it. Whatever another
// process wrote since this one had the lock, a newline is all that it takes: files
// are opened for appending.
func (a *appender) prepare() error {
	if a.sound {
		return nil
	}
	if a.followed() {
		a.closeFile()
	}
	opened := a.file == nil
	if opened {
		if err := a.open(); err != nil {
			return err
		}
	}
	if err := a.repair(); err != nil {
		return err
	}
	a.sound = true
	if opened {
		a.prune()
	}
	return nil
}

// repair completes a torn last record: with its rest, if that is known, or else
// with the newline that it lacks. If the record's header is whole, its text is
// kept. A whole header without a plus said that a newline followed in the output,
// so none is invented. What is left of a torn header becomes a line that is no
// record.
func (a *appender) repair() error {
	// Stat would do too, but costs memory for each line of a slow job.
	end, err := a.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end == a.end {
		a.grown(0)
		return nil
	}
	if _, err := a.file.ReadAt(a.lastByte[:], end-1); err != nil {
		return err
	}
	a.end = end
	if a.rest != nil {
		return a.writeRest()
	}
	a.grown(0)
	if a.lastByte[0] == '\n' {
		a.torn = -1 // if it was, another process was here
		return nil
	}
	n, err := a.write(a.file, []byte{'\n'})
	a.grown(n)
	if n > 0 && a.torn >= 0 {
		a.count(Stream(a.torn), -1)
		a.torn = -1
	}
	return err
}

// writeRest writes the rest of a torn line. It is done with when all of it is
// there; until then a process that is killed leaves what it has found.
func (a *appender) writeRest() error {
	n, err := a.write(a.file, a.rest)
	a.end += int64(n)
	a.rest = a.rest[n:]
	if len(a.rest) > 0 {
		a.restEnd = a.end
		a.dropRest()
		return err
	}
	a.rest, a.mark.done[a.restOf] = nil, a.restDone
	a.grown(0)
	return err
}

func (a *appender) closeFile() {
	if a.file != nil {
		a.file.Close()
		a.file = nil
	}
	a.sound, a.end = false, 0
}
