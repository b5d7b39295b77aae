package bolt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"jobman/job"
)

// entry is a job as the indexes hold it: where it stands (the key's end) and
// what filters ask for (the value).
//
//	value = long name: 0 or 1, length and bytes of result, of group, the name
//
// A long name is left out, and looked up in the job where it matters.
type entry struct {
	id     job.ID
	at     int64 // submitted, Unix nanoseconds
	done   bool
	result job.Result
	group  string
	name   string
	long   bool
	due    int64 // when something is due of it, Unix microseconds; 0: nothing

	// Of a job, not of an entry that was read back:
	runs, reaped int      // RunCount and ReapedRuns
	ended        int64    // Unix microseconds
	awaits       []job.ID // what it waits for
}

const (
	longName  = 256 // bytes
	placeSize = 1 + 8
	hashSize  = 8
)

func newEntry(j *job.Job) entry {
	e := entry{
		id: j.ID, at: j.SubmittedAt.UnixNano(), done: j.Completed(), result: j.Result,
		group: j.Spec.Group, name: j.Spec.Name, long: len(j.Spec.Name) > longName,
		runs: j.RunCount, reaped: j.ReapedRuns, ended: j.StoppedAt.UnixMicro(), awaits: j.Awaiting(),
	}
	if !e.done && !j.NextAt.IsZero() {
		e.due = j.NextAt.UnixMicro() + 1 // never early
	}
	return e
}

// dueKey is the entry's key in by_due, nil where nothing is due.
func (e *entry) dueKey() []byte {
	if e.due == 0 {
		return nil
	}
	return append(timeKey(e.due), e.id...)
}

// endKey is the entry's key in by_end, nil where it is not to be there.
func (e *entry) endKey() []byte {
	if !e.done || e.reaped >= e.runs {
		return nil
	}
	return append(timeKey(e.ended), e.id...)
}

// wasted are the runs whose output is reaped now that the entry has become j.
func (e *entry) wasted(j *job.Job) (w waste) {
	for n := e.reaped + 1; n <= j.ReapedRuns; n++ {
		w = append(w, job.Ref{ID: e.id, Run: n})
	}
	return w
}

// timeKey makes keys sort by time, before 1970 too.
func timeKey(t int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t)^1<<63)
}

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:hashSize]
}

// side is the first byte of a place.
func side(done bool) byte {
	if done {
		return 'd'
	}
	return 'a'
}

// key returns the entry's key below a prefix.
func (e *entry) key(prefix []byte) []byte {
	k := append(bytes.Clone(prefix), side(e.done))
	return append(append(k, timeKey(e.at)...), e.id...)
}

func (e *entry) value() []byte {
	v := []byte{0}
	name := e.name
	if e.long {
		v[0], name = 1, ""
	}
	v = appendString(v, string(e.result))
	v = appendString(v, e.group)
	return append(v, name...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// keys returns the entry's key in each of the index buckets, in their order.
func (e *entry) keys() [3][]byte {
	return [3][]byte{e.key(nil), e.key(hash(e.name)), e.key(hash(e.group))}
}

var errEntry = errors.New("an entry can't be read")

// readEntry reads an entry back. The key's prefix is cut off already.
func readEntry(place, value []byte) (entry, error) {
	if len(place) <= placeSize || len(value) == 0 {
		return entry{}, errEntry
	}
	e := entry{
		id:   job.ID(place[placeSize:]),
		at:   int64(binary.BigEndian.Uint64(place[1:]) ^ 1<<63),
		done: place[0] == 'd',
		long: value[0] == 1,
	}
	result, rest, ok1 := cutString(value[1:])
	group, name, ok2 := cutString(rest)
	if !ok1 || !ok2 {
		return entry{}, errEntry
	}
	e.result, e.group, e.name = job.Result(result), string(group), string(name)
	return e, nil
}

func cutString(b []byte) (s, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	return b[size : size+int(n)], b[size+int(n):], true
}

// compare orders entries newest first.
func (e entry) compare(f entry) int {
	if e.at != f.at {
		if e.at > f.at {
			return -1
		}
		return 1
	}
	return bytes.Compare([]byte(f.id), []byte(e.id))
}
