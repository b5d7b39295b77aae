package supervisor

import (
	"time"

	"jobman/job"
)

// The kinds of what happens to a path.
const (
	changed = 0 // something has changed; it may mean nothing
	came    = 1 // it is there
)

// hold keeps a job from being stepped for each of many events that mean nothing to
// it, as in a directory in which much happens: a step is a process.
type hold struct {
	n     int       // steps in a row
	last  time.Time // when that was
	until time.Time // no other before
}

type holdKey struct {
	id   job.ID
	kind int
}

const (
	// holdAfter is how many steps in a row follow their events at once.
	holdAfter = 3
	holdFirst = 200 * time.Millisecond // then; doubled each time
	holdMost  = 3 * time.Second
	// holdReset is how long nothing must have happened for the next to be the first.
	holdReset = 10 * time.Second
)

// note has a job stepped, as soon as it is its turn.
func (w *watches) note(id job.ID, kind int) { w.pending[holdKey{id, kind}] = true }

// due returns the jobs whose turn it is.
func (w *watches) due(now time.Time) (ids []job.ID) {
	for key := range w.pending {
		a := w.jobs[key.id]
		if a == nil {
			delete(w.pending, key)
			continue
		}
		h := &a.holds[key.kind]
		if now.Before(h.until) {
			continue
		}
		delete(w.pending, key)
		if now.Sub(h.last) > holdReset {
			h.n = 0
		}
		h.n++
		h.last, h.until = now, now.Add(h.pause())
		ids = append(ids, key.id)
	}
	return ids
}

func (h *hold) pause() time.Duration {
	if h.n < holdAfter {
		return 0
	}
	return min(holdFirst<<min(h.n-holdAfter, 8), holdMost)
}
