package journal

import (
	"bytes"
	"time"
)

// backingOff reports whether the last failure is so recent that nothing is tried.
func (a *appender) backingOff() bool {
	return !a.retry.IsZero() && time.Now().Before(a.retry)
}

// fail notes why nothing can be written and when to try again, from the opening of
// the file on: it may have been the file that was at fault.
func (a *appender) fail(err error) {
	a.err = err
	a.retry = time.Now().Add(retryAfter)
	a.closeFile()
}

// drop counts the gathered records as lost, but for the first n bytes that came
// into the file. This is where a loss becomes known; whoever wants it told at once
// (issue 5) hooks in here.
func (a *appender) drop(n int) {
	a.dropRest()
	var p parser
	a.gathered = a.written
	for rest := a.out; len(rest) > 0; {
		length := bytes.IndexByte(rest, '\n') + 1
		rec, _ := p.parse(rest[:length-1])
		header := length - 1 - len(rec.text)
		if n >= header {
			a.count(rec.stream, length-1-min(n, length-1))
			a.gathered[rec.stream] = rec.partial
			if n < length && !rec.partial {
				a.count(rec.stream, 1)
				a.torn = int(rec.stream)
			}
		} else {
			a.count(rec.stream, len(rec.text))
			if !rec.partial {
				a.count(rec.stream, 1)
				a.broken[rec.stream] = a.gathered[rec.stream]
			}
		}
		n = max(0, n-length)
		rest = rest[length:]
	}
	a.record()
}

// dropRest counts the rest of a torn line as lost. Its newline comes back with the
// repair.
func (a *appender) dropRest() {
	if a.rest == nil {
		return
	}
	a.count(a.restOf, len(a.rest))
	a.torn = int(a.restOf)
	a.rest, a.mark.end, a.mark.done[a.restOf] = nil, a.restEnd, a.restDone
	a.record() // before it is noted that they are done with
}

func (a *appender) count(s Stream, n int) {
	if n != 0 {
		a.new.add(s, int64(n), a.now)
		a.lost.add(s, int64(n), a.now)
	}
}

// mend ends a line that is open in the file but ended among lost bytes, lest it be
// joined with what comes now. The newline is one of the lost ones.
func (a *appender) mend(s Stream) {
	if a.broken[s] && a.gathered[s] {
		a.out = append(a.out, a.heads[s][0]...)
		a.out = append(a.out, '\n')
		a.count(s, -1)
		a.gathered[s] = false
		a.mark.mended[s] = true
	}
	a.broken[s] = false
}

// record puts new losses where Lost finds them. If that fails too, the next call
// tries again.
func (a *appender) record() {
	a.noteMissed()
	if a.new == (Loss{}) || !a.lock.held {
		return
	}
	if recordLoss(a.lock.logs, a.new) == nil {
		a.new = Loss{}
	}
}

// noteMissed records what the copy in journald lacks, once in a while.
func (a *appender) noteMissed() {
	if a.copy == nil || !a.lock.held || time.Since(a.noted) < noteEvery {
		return
	}
	a.noted = time.Now()
	if m := a.copy.takeMissed(); m.Lines > 0 && recordMissed(a.lock.logs, m) != nil {
		a.copy.miss(m)
	}
}

const noteEvery = time.Second
