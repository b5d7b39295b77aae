package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
)

// limits of a run's files; 0: none.
type limits struct {
	bytes int64 // of one file
	files int
}

// measure finds out how much more may go into the file.
func (a *appender) measure() {
	a.room = math.MaxInt
	if a.limits.bytes > 0 {
		a.room = int(min(a.limits.bytes-a.end, math.MaxInt))
	}
}

// turn begins the next file, if a record of that size should stand in it. It is
// called when the record has no room in this one. A line that began here goes on
// here, up to what a reader puts together; the other stream's line may be cut.
func (a *appender) turn(s Stream, size int) {
	if a.gathered[s] && len(a.out)+size <= a.room+maxLine {
		return
	}
	a.flush()
	if a.file == nil || a.end == 0 {
		return // nothing can be written, or this is too long for any file
	}
	a.full = a.number
	a.closeFile()
	if err := a.prepare(); err != nil {
		a.fail(err)
	}
	a.mend(s)
}

// open opens the newest file, or begins another where that one is full.
func (a *appender) open() error {
	n := a.full + 1
	if a.full == 0 || a.number != a.full { // else it is known, and listing is slow where there are thousands
		numbers, err := logNumbers(a.lock.logs)
		if err != nil {
			return err
		}
		n = 1
		if len(numbers) > 0 {
			n = numbers[len(numbers)-1]
		}
	}
	f, err := openLast(a.lock.logs, n)
	if err != nil {
		return err
	}
	a.file, a.number = f, n
	return nil
}

// prune deletes the oldest files beyond the limit. Before that it is noted that
// nothing is to be looked for in them. That it fails is no reason to lose output.
func (a *appender) prune() {
	if a.limits.files == 0 {
		return
	}
	numbers, err := logNumbers(a.lock.logs)
	if err == nil && len(numbers) > a.limits.files {
		a.note()
		for _, n := range numbers[:len(numbers)-a.limits.files] {
			if rerr := os.Remove(logPath(a.lock.logs, n)); !errors.Is(rerr, fs.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
			a.spool.at("pruned")
		}
	}
	if err != nil {
		a.pruning = fmt.Errorf("delete old output: %w", err)
	}
}

// followed reports whether another process has begun the next file since this one
// had the lock.
func (a *appender) followed() bool {
	if a.file == nil || a.limits.bytes == 0 {
		return false
	}
	_, err := os.Lstat(logPath(a.lock.logs, a.number+1))
	return err == nil
}
