package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"jobman/job"
)

// checkBooks finds output, ends and waits that are not on the books as they should
// be. An index of an older schema has none.
func (t tx) checkBooks() (problems []error) {
	if t.Bucket(bucketOutput) == nil {
		return nil
	}
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	var j *job.Job
	var e entry
	var total int64
	outputs, ended, awaited := 0, 0, 0
	for k, v := range all(t.jobs()) {
		if !bytes.Contains(k, []byte("/")) {
			var err error
			if j, err = (document{job: v}).decode(); err != nil {
				return nil // checkJobs has told
			}
			e = newEntry(j)
			if key := e.endKey(); key != nil {
				ended++
				if t.Bucket(bucketEnd).Get(key) == nil {
					wrong("%s does not hold job %s", bucketEnd, k)
				}
			}
			for _, id := range e.awaits {
				awaited++
				if t.Bucket(bucketAwaited).Get(awaitedKey(id, j.ID)) == nil {
					wrong("%s does not tell that %s waits for %s", bucketAwaited, k, id)
				}
			}
			continue
		}
		one, err := document{job: []byte("{}"), runs: [][]byte{v}}.decode()
		if err != nil || j == nil {
			return nil
		}
		r := &one.Runs[0]
		if key := outputKey(j.ID, r, j.ReapedRuns); key != nil {
			outputs++
			total += r.LogBytes
			if !bytes.Equal(t.Bucket(bucketOutput).Get(key), binary.AppendUvarint(nil, uint64(r.LogBytes))) {
				wrong("%s does not hold run %d of %s as it is", bucketOutput, r.N, j.ID)
			}
		}
	}
	for _, b := range []struct {
		name []byte
		want int
	}{{bucketOutput, outputs}, {bucketEnd, ended}, {bucketAwaited, awaited}} {
		if n := count(t.Bucket(b.name)); n != b.want {
			wrong("%s has %d entries instead of %d", b.name, n, b.want)
		}
	}
	if n := t.number(keyOutput); n != total {
		wrong("the books say that there are %d bytes of output, and there are %d", n, total)
	}
	if n := t.number(keyEnded); n != int64(ended) {
		wrong("the books say that %d jobs have ended, and %d have", n, ended)
	}
	return problems
}
