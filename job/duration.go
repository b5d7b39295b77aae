package job

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as users write it: 90 (seconds), 1.5s, 10m,
// 1h30m, 2d12h, 1w.
type Duration time.Duration

// DurationForms is what an error message shows when a duration can't be read.
const DurationForms = "90 (seconds), 1.5s, 10m, 1h30m, 2d12h, 1w"

var durationUnits = []struct {
	name string
	unit time.Duration
}{ // longest first, so that printing is canonical; ms before m when reading
	{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour},
	{"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond},
	{"m", time.Minute}, {"s", time.Second},
}

// ParseDuration reads a duration that is not negative.
func ParseDuration(s string) (Duration, error) {
	bad := fmt.Errorf("%q is not a duration; write it like %s", s, DurationForms)
	if s == "" {
		return 0, bad
	}
	total := 0.0
	for rest := s; rest != ""; {
		n := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if n < 0 { // a bare number is seconds, and stands alone
			if rest != s {
				return 0, bad
			}
			n = len(rest)
		}
		value, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil {
			return 0, bad
		}
		rest = rest[n:]
		unit := time.Second
		if rest != "" {
			found := false
			for _, u := range durationUnits {
				if strings.HasPrefix(rest, u.name) {
					unit, rest, found = u.unit, rest[len(u.name):], true
					break
				}
			}
			if !found {
				return 0, bad
			}
		}
		total += value * float64(unit)
	}
	if total >= math.MaxInt64 {
		return 0, fmt.Errorf("duration %q is too long", s)
	}
	return Duration(math.Round(total)), nil
}

// String prints the shortest form that reads back to the same value.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	rest := time.Duration(d)
	var b strings.Builder
	for _, u := range durationUnits[:3] {
		if n := rest / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.unit
		}
	}
	if n := rest / time.Minute; n > 0 {
		fmt.Fprintf(&b, "%dm", n)
		rest -= n * time.Minute
	}
	if n := rest / time.Second; n > 0 {
		fmt.Fprintf(&b, "%ds", n)
		rest -= n * time.Second
	}
	for _, u := range durationUnits[3:6] {
		if n := rest / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.unit
		}
	}
	return b.String()
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	if err == nil {
		*d = v
	}
	return err
}
