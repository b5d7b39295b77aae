package job

import (
	"fmt"
	"time"
)

// TimeForms is what an error message shows when a time can't be read.
const TimeForms = "2026-11-23T08:00:00Z, 2026-11-23 08:00, or 10m (before now)"

// ParseTime reads a moment in the past, as --since takes it: RFC 3339, a local
// date and time, or a duration before now.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if d, err := ParseDuration(s); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write it like %s", s, TimeForms)
}
