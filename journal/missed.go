package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Missed is what the copy of a run's output in journald lacks. The files have it.
type Missed struct {
	Lines       int64
	First, Last time.Time // when they were left out; to the microsecond
}

func (m *Missed) add(lines int, now time.Time) {
	if lines > 0 {
		*m = m.plus(Missed{int64(lines), now, now})
	}
}

func (m Missed) plus(n Missed) Missed {
	switch {
	case m.Lines == 0:
		return n
	case n.Lines == 0:
		return m
	}
	m.Lines += n.Lines
	if n.First.Before(m.First) {
		m.First = n.First
	}
	if n.Last.After(m.Last) {
		m.Last = n.Last
	}
	return m
}

// Uncopied tells what the copy in journald lacks of the run of this logs directory,
// as far as it was noted: what a pump that was killed had not sent is not.
func Uncopied(logs string) (Missed, error) {
	names, err := readNames(logs)
	if err != nil {
		return Missed{}, fmt.Errorf("read what was not copied: %w", err)
	}
	var sum Missed
	for _, name := range names {
		if m, ok := parseMissed(name); ok {
			sum = sum.plus(m)
		}
	}
	return sum, nil
}

// recordMissed adds to what is recorded, as recordLoss does. The caller has the
// lock.
func recordMissed(logs string, m Missed) error {
	names, err := readNames(logs)
	if err != nil {
		return err
	}
	for _, name := range names {
		if before, ok := parseMissed(name); ok {
			return os.Rename(filepath.Join(logs, name), filepath.Join(logs, missedName(before.plus(m))))
		}
	}
	f, err := os.OpenFile(filepath.Join(logs, missedName(m)), os.O_WRONLY|os.O_CREATE|noFollow, fileMode)
	if err != nil {
		return err
	}
	return f.Close()
}

const missedPrefix = "uncopied"

// missedName is uncopied.LINES.FIRST.LAST, with Unix times in microseconds.
func missedName(m Missed) string {
	return fmt.Sprintf("%s.%d.%d.%d", missedPrefix, m.Lines, m.First.UnixMicro(), m.Last.UnixMicro())
}

func parseMissed(name string) (m Missed, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 4 || parts[0] != missedPrefix {
		return Missed{}, false
	}
	var numbers [3]int64
	for i := range numbers {
		n, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil {
			return Missed{}, false
		}
		numbers[i] = n
	}
	return Missed{numbers[0], time.UnixMicro(numbers[1]).UTC(), time.UnixMicro(numbers[2]).UTC()}, true
}
