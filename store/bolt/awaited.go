package bolt

import (
	"bytes"
	"slices"

	"jobman/job"
)

// putAwaited notes what a job waits for now, and no more what it waited for.
func (t tx) putAwaited(was, now *entry) error {
	b := t.Bucket(bucketAwaited)
	if was != nil {
		for _, id := range was.awaits {
			if slices.Contains(now.awaits, id) {
				continue
			}
			if err := b.Delete(awaitedKey(id, now.id)); err != nil {
				return err
			}
		}
	}
	for _, id := range now.awaits {
		key := awaitedKey(id, now.id)
		if was != nil && slices.Contains(was.awaits, id) {
			continue
		}
		if err := b.Put(key, nil); err != nil {
			return err
		}
	}
	return nil
}

func awaitedKey(id, by job.ID) []byte { return append(runsOf(id), by...) }

// awaited tells whether an incomplete job waits for this one.
func (t tx) awaited(id job.ID) bool {
	k, _ := t.Bucket(bucketAwaited).Cursor().Seek(runsOf(id))
	return bytes.HasPrefix(k, runsOf(id))
}
