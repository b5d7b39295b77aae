package job

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// TimeForms is what an error message shows when a time can't be read.
const TimeForms = "2026-11-23T08:00:00Z, 2026-11-23 08:00, 08:00 (the last), yesterday 08:00, @1795420800, or 10m (before now)"

// ParseTime reads a moment in the past, as --since takes it: a duration before
// now; a local time, the last one; yesterday and a local time; or a moment in the
// forms of [ParseMoment]. Local is now's location.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if d, err := ParseDuration(s); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	clock, yesterday := strings.CutPrefix(s, "yesterday ")
	if at, ok := parseClock(strings.TrimSpace(clock), now); ok {
		if today := at(0); !yesterday && !today[0].After(now) {
			if last := today[len(today)-1]; !last.After(now) {
				return last, nil
			}
			return today[0], nil
		}
		before := at(-1)
		return before[len(before)-1], nil
	}
	if t, err := ParseMoment(s, now); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is no time; write it like %s", s, TimeForms)
}

// parseClock reads a time of day, and returns it on a day: 0 is now's.
func parseClock(s string, now time.Time) (at func(day int) []time.Time, ok bool) {
	for _, layout := range []string{"15:04:05", "15:04"} {
		if c, err := time.Parse(layout, s); err == nil {
			return func(day int) []time.Time {
				return local(time.Date(now.Year(), now.Month(), now.Day(), c.Hour(), c.Minute(), c.Second(), 0, time.UTC), day, now.Location())
			}, true
		}
	}
	return nil, false
}

// StampLayout is how times are printed for programs: RFC 3339, with microseconds.
const StampLayout = "2006-01-02T15:04:05.000000Z07:00"

// MomentForms is what an error message shows when a moment can't be read.
const MomentForms = "2026-11-23T08:00:00Z, 2026-11-23 08:00, 08:00 (the next), tomorrow 08:00, +10m, @1795420800"

// ParseMoment reads a moment to come, as options take it: RFC 3339; a local date
// and time; a local time, the next one; tomorrow and a local time; a duration from
// now after a plus; Unix seconds after an @. Local is now's location.
func ParseMoment(s string, now time.Time) (time.Time, error) {
	t, ok := readMoment(s, now)
	if year := t.UTC().Year(); !ok || year < 1 || year > 9999 { // RFC 3339 has no others
		return time.Time{}, fmt.Errorf("%q is no timestamp; write it like %s", s, MomentForms)
	}
	return t, nil
}

func readMoment(s string, now time.Time) (t time.Time, ok bool) {
	if rest, ok := strings.CutPrefix(s, "+"); ok {
		d, err := ParseDuration(rest)
		if err != nil {
			return time.Time{}, false
		}
		return later(now, time.Duration(d)), true
	}
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		sec, err := strconv.ParseFloat(rest, 64)
		if err != nil || !(sec >= 0 && sec <= 1e11) { // nor NaN
			return time.Time{}, false
		}
		whole := math.Floor(sec)
		return time.Unix(int64(whole), int64((sec-whole)*1e9)), true
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, true
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return local(t, 0, now.Location())[0], true
		}
	}
	day, clock := 0, s
	if rest, ok := strings.CutPrefix(s, "tomorrow "); ok {
		day, clock = 1, strings.TrimSpace(rest)
	}
	if at, ok := parseClock(clock, now); ok {
		if day == 0 {
			for _, t := range at(0) {
				if t.After(now) {
					return t, true
				}
			}
		}
		return at(1)[0], true
	}
	return time.Time{}, false
}

// local returns when the clocks of a place show what clock does, days later. That is
// once, or twice where they are set back meanwhile; where they are set forward over
// it, it is the moment when they are.
func local(clock time.Time, days int, place *time.Location) []time.Time {
	t := time.Date(clock.Year(), clock.Month(), clock.Day()+days, clock.Hour(), clock.Minute(), clock.Second(), 0, place)
	shown := clockOf(t)
	wanted := clock.AddDate(0, 0, days)
	begin, end := t.ZoneBounds()
	switch {
	case shown.Before(wanted):
		return []time.Time{end}
	case shown.After(wanted):
		return []time.Time{begin}
	}
	if !begin.IsZero() {
		if other := t.Add(offset(t) - offset(begin.Add(-1))); other.Before(begin) && clockOf(other).Equal(wanted) {
			return []time.Time{other, t}
		}
	}
	if !end.IsZero() {
		if other := t.Add(offset(t) - offset(end)); !other.Before(end) && clockOf(other).Equal(wanted) {
			return []time.Time{t, other}
		}
	}
	return []time.Time{t}
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// clockOf is what the clocks of t's place show, as if that were UTC.
func clockOf(t time.Time) time.Time { return t.Add(offset(t)).UTC() }
