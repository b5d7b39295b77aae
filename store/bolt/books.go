package bolt

import (
	"encoding/binary"
	"encoding/json"
	"iter"
	"strconv"
	"time"

	"jobman/job"
)

// The books of output: what completed runs have, the oldest end first, and which
// completed jobs the reaper has not been at. Each has its total in meta, so that
// an end need not count.

// outputKey is where a run stands in by_output, nil if it has no output or that is
// reaped; limit is the job's ReapedRuns.
func outputKey(id job.ID, r *job.Run, limit int) []byte {
	if r.Active() || r.LogBytes <= 0 || r.Reaped || r.N <= limit {
		return nil
	}
	k := append(timeKey(r.StoppedAt.UnixMicro()), id...)
	return binary.BigEndian.AppendUint32(k, uint32(r.N))
}

// number reads a total of meta.
func (t tx) number(key []byte) int64 {
	n, err := strconv.ParseInt(string(t.Bucket(bucketMeta).Get(key)), 10, 64)
	if err != nil {
		return 0 // not there yet
	}
	return n
}

func (t tx) addTo(key []byte, n int64) error {
	if n == 0 {
		return nil
	}
	return t.Bucket(bucketMeta).Put(key, strconv.AppendInt(nil, t.number(key)+n, 10))
}

// book enters a run's output, or strikes it out.
func (t tx) book(key []byte, bytes int64, in bool) error {
	b := t.Bucket(bucketOutput)
	if in {
		if err := b.Put(key, binary.AppendUvarint(nil, uint64(bytes))); err != nil {
			return err
		}
		return t.addTo(keyOutput, bytes)
	}
	if err := b.Delete(key); err != nil {
		return err
	}
	return t.addTo(keyOutput, -bytes)
}

// bookRun brings the books up to what a run has become; was is what it was, as it
// is stored, or nil. limit is the job's ReapedRuns now. Output that is reaped is
// waste.
func (t tx) bookRun(id job.ID, was []byte, now *job.Run, limit int) error {
	var before job.Run
	var old []byte
	if was != nil {
		if err := json.Unmarshal(was, &before); err != nil {
			return t.store.unreadable(err)
		}
		old = outputKey(id, &before, limit)
	}
	key := outputKey(id, now, limit)
	if old != nil && (string(old) != string(key) || before.LogBytes != now.LogBytes) {
		if err := t.book(old, before.LogBytes, false); err != nil {
			return err
		}
		old = nil
	}
	if key != nil && old == nil {
		return t.book(key, now.LogBytes, true)
	}
	if reaped := was != nil && (before.Active() || !before.Reaped && now.Reaped); reaped && key == nil && !now.Active() && now.LogBytes > 0 {
		return t.waste(id, now.N)
	}
	return nil
}

// reapTo strikes the runs out whose output is reaped now that the job's ReapedRuns
// has become greater, and makes that waste.
func (t tx) reapTo(id job.ID, from, to int) error {
	c := t.jobs().Cursor()
	last := string(runKey(id, to))
	for k, v := c.Seek(runKey(id, from+1)); k != nil && string(k) <= last; k, v = c.Next() {
		var r job.Run
		if err := json.Unmarshal(v, &r); err != nil {
			return t.store.unreadable(err)
		}
		key := outputKey(id, &r, from)
		if key == nil {
			continue
		}
		if err := t.book(key, r.LogBytes, false); err != nil {
			return err
		}
		if err := t.waste(id, r.N); err != nil {
			return err
		}
	}
	return nil
}

// bookEnd brings by_end up to what a job has become.
func (t tx) bookEnd(was *entry, now *entry) error {
	var before []byte
	if was != nil {
		before = was.endKey()
	}
	after := now.endKey()
	if string(before) == string(after) {
		return nil
	}
	b := t.Bucket(bucketEnd)
	if before != nil {
		if err := b.Delete(before); err != nil {
			return err
		}
		if err := t.addTo(keyEnded, -1); err != nil {
			return err
		}
	}
	if after != nil {
		if err := b.Put(after, nil); err != nil {
			return err
		}
		return t.addTo(keyEnded, 1)
	}
	return nil
}

// outputs walks by_output.
func (t tx) outputs() iter.Seq2[job.Ref, int64] {
	return func(yield func(job.Ref, int64) bool) {
		for k, v := range all(t.Bucket(bucketOutput)) {
			bytes, _ := binary.Uvarint(v)
			n := len(k) - 4
			ref := job.Ref{ID: job.ID(k[8:n]), Run: int(binary.BigEndian.Uint32(k[n:]))}
			if !yield(ref, int64(bytes)) {
				return
			}
		}
	}
}

// ended walks by_end.
func (t tx) ended() iter.Seq2[job.ID, time.Time] {
	return func(yield func(job.ID, time.Time) bool) {
		for k := range all(t.Bucket(bucketEnd)) {
			at := time.UnixMicro(int64(binary.BigEndian.Uint64(k) ^ 1<<63))
			if !yield(job.ID(k[8:]), at) {
				return
			}
		}
	}
}
