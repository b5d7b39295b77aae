package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tally is how much of something there was, and when.
type tally struct {
	counts      []int64
	first, last time.Time // to the microsecond; zero: unknown
}

func (t tally) plus(u tally) tally {
	sum := tally{slices.Clone(t.counts), t.first, t.last}
	for i, n := range u.counts {
		sum.counts[i] += n
	}
	if !u.first.IsZero() && (sum.first.IsZero() || u.first.Before(sum.first)) {
		sum.first = u.first
	}
	if u.last.After(sum.last) {
		sum.last = u.last
	}
	return sum
}

// tallies are the tallies of a kind in logs directories. The record of one is an empty
// file whose name has all the numbers: NAME.COUNT....FIRST.LAST, with Unix times in
// microseconds. A full disk is the usual reason for one, and a name still fits where a
// text doesn't; and a rename replaces it in one step.
type tallies struct {
	name   string
	counts int // how many it has
}

// read sums up what is recorded. No directory: nothing.
func (k tallies) read(logs string) (tally, error) {
	sum := tally{counts: make([]int64, k.counts)}
	names, err := readNames(logs)
	for _, name := range names {
		if t, ok := k.parse(name); ok {
			sum = sum.plus(t)
		}
	}
	return sum, err
}

// record adds to what is recorded. The caller has the lock.
func (k tallies) record(logs string, t tally) error {
	names, err := readNames(logs)
	if err != nil {
		return err
	}
	for _, name := range names {
		if before, ok := k.parse(name); ok {
			return os.Rename(filepath.Join(logs, name), filepath.Join(logs, k.format(before.plus(t))))
		}
	}
	f, err := os.OpenFile(filepath.Join(logs, k.format(t)), os.O_WRONLY|os.O_CREATE|noFollow, fileMode)
	if err != nil {
		return err
	}
	return f.Close()
}

func (k tallies) format(t tally) string {
	name := k.name
	for _, n := range append(slices.Clone(t.counts), t.first.UnixMicro(), t.last.UnixMicro()) {
		name += fmt.Sprintf(".%d", n)
	}
	return name
}

func (k tallies) parse(name string) (t tally, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 1+k.counts+2 || parts[0] != k.name {
		return tally{}, false
	}
	numbers := make([]int64, len(parts)-1)
	for i := range numbers {
		n, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil {
			return tally{}, false
		}
		numbers[i] = n
	}
	times := numbers[k.counts:]
	return tally{numbers[:k.counts], time.UnixMicro(times[0]).UTC(), time.UnixMicro(times[1]).UTC()}, true
}
