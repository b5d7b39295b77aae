package journal

import (
	"bytes"
	"os"
	"sync"
	"time"
)

const (
	// In copyInterval so many lines are copied to journald at most: root's as many as
	// journald takes of a service by default. Of other users it counts all services
	// together, so a flood from a job, or a few of them, would have it drop what the
	// others say. And what is left out here is counted.
	rootsBurst   = DefaultBurst
	usersBurst   = DefaultBurst / 10
	copyInterval = 30 * time.Second

	// copyQueue bounds what waits for journald, in bytes of records.
	copyQueue = 1 << 20

	// copyClosing is how long the end of a pump waits for journald to take what is
	// queued, and copyDraining how long the end of a run is held up for that.
	copyClosing  = time.Second
	copyDraining = 250 * time.Millisecond

	// copyAgain is how long nothing is copied after journald could not be reached.
	copyAgain = time.Second
)

// copier copies records to journald, at journald's pace and not at the job's: what
// there is no room for is left out and counted. Nothing is started before the first
// record comes. The methods of a nil copier do nothing.
type copier struct {
	origin  Origin
	closing time.Duration // how long close may take
	most    int           // lines in an interval

	mu       sync.Mutex // guards what follows
	queue    []byte     // whole records
	spare    []byte     // the queue's other buffer, while that is being sent
	started  bool
	deadline time.Time // of all sending; zero before close
	missed   Missed    // not yet recorded
	begun    time.Time // of the interval
	burst    int       // lines queued in it

	wake  chan struct{} // has one element when there may be something to do
	ended chan struct{} // closed by run
}

func newCopier(origin *Origin) *copier {
	if origin == nil {
		return nil
	}
	most := usersBurst
	if os.Geteuid() == 0 {
		most = rootsBurst
	}
	return &copier{origin: *origin, closing: copyClosing, most: most, wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

// add queues whole records.
func (c *copier) add(records []byte) {
	if c == nil || len(records) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.begun.IsZero() || now.Sub(c.begun) >= copyInterval {
		c.begun, c.burst = now, 0
	}
	n, lines := firstLines(records, c.most-c.burst)
	if len(c.queue)+n > copyQueue {
		n, lines = 0, 0
	}
	c.burst += lines
	c.missed.add(bytes.Count(records[n:], []byte{'\n'}), now)
	if n == 0 {
		return
	}
	c.queue = append(c.queue, records[:n]...)
	if !c.started {
		c.started = true
		go c.run()
	}
	c.rouse()
}

// firstLines returns the length of the first lines of b, so many at most, and how
// many there are.
func firstLines(b []byte, most int) (n, lines int) {
	for lines < most {
		i := bytes.IndexByte(b[n:], '\n')
		if i < 0 {
			break
		}
		n += i + 1
		lines++
	}
	return n, lines
}

func (c *copier) rouse() {
	select {
	case c.wake <- struct{}{}:
	default: // it is going to look anyway
	}
}

// close waits until what is queued was sent, but not for long.
func (c *copier) close() {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.deadline = time.Now().Add(c.closing)
	started := c.started
	c.mu.Unlock()
	if started {
		c.rouse()
		<-c.ended
	}
}

// lacks tells whether something was left out since takeMissed was called.
func (c *copier) lacks() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.missed.Lines > 0
}

// takeMissed returns what was left out since the last call.
func (c *copier) takeMissed() (m Missed) {
	if c == nil {
		return m
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m, c.missed = c.missed, m
	return m
}

// miss gives back what could not be recorded.
func (c *copier) miss(m Missed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.missed = c.missed.plus(m)
}

// run sends what is queued until the copier is closed.
func (c *copier) run() {
	defer close(c.ended)
	var fields [numStreams][]byte
	for s := range fields {
		fields[s] = c.origin.fields(Stream(s))
	}
	var p parser
	var entry []byte
	out := connection{until: c.until}
	defer out.close()
	for batch := c.next(); batch != nil; batch = c.next() {
		missed := 0
		for len(batch) > 0 {
			length := bytes.IndexByte(batch, '\n') + 1
			rec, ok := p.parse(batch[:length-1])
			if ok {
				entry = appendEntry(entry[:0], fields[rec.stream], rec)
				ok = out.send(entry)
			}
			if !ok {
				missed++
			}
			batch = batch[length:]
		}
		if missed > 0 {
			now := time.Now()
			c.miss(Missed{int64(missed), now, now})
		}
	}
}

// next waits for something to be queued and takes all of it; nil: there will be no
// more.
func (c *copier) next() []byte {
	for ; ; <-c.wake {
		c.mu.Lock()
		batch, closed := c.queue, !c.deadline.IsZero()
		if len(batch) > 0 {
			c.queue, c.spare = c.spare[:0], batch
		}
		c.mu.Unlock()
		if len(batch) > 0 {
			return batch
		}
		if closed {
			return nil
		}
	}
}

// until is how long sending may take; the copier's close moves it.
func (c *copier) until() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deadline.IsZero() {
		return time.Now().Add(time.Minute)
	}
	return c.deadline
}

// connection is one to journald that is made anew when it breaks.
type connection struct {
	until  func() time.Time
	native *native   // nil: there is none
	failed time.Time // when there was none to be had
}

// send tells whether journald took the entry.
func (o *connection) send(entry []byte) bool {
	for range 2 { // the second time over a new connection
		if o.native == nil && !o.dial() {
			return false
		}
		err := o.native.send(entry, o.until)
		if err == nil {
			return true
		}
		if !broken(err) {
			return false
		}
		o.close()
	}
	return false
}

func (o *connection) dial() bool {
	if !o.failed.IsZero() && time.Since(o.failed) < copyAgain {
		return false
	}
	n, err := newNative()
	if err != nil {
		o.failed = time.Now()
		return false
	}
	o.native = n
	return true
}

func (o *connection) close() {
	if o.native != nil {
		o.native.close()
		o.native = nil
	}
}
