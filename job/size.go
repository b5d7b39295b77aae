package job

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes as users write it: 1000, 64KiB, 10MB. 0 is no limit.
type Size int64

// SizeForms is what an error message shows when a size can't be read.
const SizeForms = "1000 (bytes), 64KiB, 10MB, 1.5GB"

var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// ParseSize reads a size of at least one byte.
func ParseSize(s string) (Size, error) {
	number, unit := s, int64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			number, unit = strings.TrimSuffix(rest, " "), u.bytes
			break
		}
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.TrimLeft(number, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is not a size; write it like %s", s, SizeForms)
	}
	bytes := value * float64(unit)
	if bytes < 1 {
		return 0, fmt.Errorf("%q is less than a byte", s)
	}
	if bytes >= math.MaxInt64 {
		return math.MaxInt64, nil
	}
	return Size(bytes), nil
}

// String prints a size so that ParseSize reads the same.
func (s Size) String() string {
	best := ""
	for _, u := range sizeUnits {
		if u.bytes > 1 && s > 0 && int64(s)%u.bytes == 0 {
			if text := strconv.FormatInt(int64(s)/u.bytes, 10) + u.name; best == "" || len(text) < len(best) {
				best = text
			}
		}
	}
	if best == "" {
		best = strconv.FormatInt(int64(s), 10)
	}
	return best
}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSize(string(b))
	return err
}
