package job

import (
	"testing"
	"time"
)

// In New York clocks go from 2:00 to 3:00 on 2026-03-08, and back from 2:00 to 1:00
// on 2026-11-01.
func TestTimesWhereClocksAreChanged(t *testing.T) {
	place, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("there is no time zone database here:", err)
	}
	for _, c := range []struct{ now, asked, want string }{
		{"2026-03-07T12:00:00-05:00", "tomorrow 02:30", "2026-03-08T03:00:00-04:00"},
		{"2026-03-08T01:45:00-05:00", "02:30", "2026-03-08T03:00:00-04:00"},
		{"2026-03-01T01:45:00-05:00", "2026-03-08 02:30", "2026-03-08T03:00:00-04:00"},
		{"2026-03-08T01:45:00-05:00", "03:30", "2026-03-08T03:30:00-04:00"},
		{"2026-11-01T00:45:00-04:00", "01:30", "2026-11-01T01:30:00-04:00"},
		{"2026-11-01T01:45:00-04:00", "01:30", "2026-11-01T01:30:00-05:00"},
		{"2026-11-01T01:45:00-05:00", "01:30", "2026-11-02T01:30:00-05:00"},
		{"2026-10-31T12:00:00-04:00", "tomorrow 01:30", "2026-11-01T01:30:00-04:00"},
		{"2026-10-31T12:00:00-04:00", "2026-11-01 01:30", "2026-11-01T01:30:00-04:00"},
		{"2026-11-01T01:45:00-04:00", "23:00", "2026-11-01T23:00:00-05:00"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseMoment(c.asked, now.In(place))
		if err != nil || got.In(place).Format(time.RFC3339) != c.want {
			t.Errorf("%s at %s: %s, %v, want %s", c.asked, c.now, got.In(place).Format(time.RFC3339), err, c.want)
		}
	}
}

func TestWhatIsNoNumberIsNoMoment(t *testing.T) {
	for _, s := range []string{"@nan", "@inf", "@-1", "@1e12"} {
		if got, err := ParseMoment(s, now); err == nil {
			t.Errorf("%s: %v, want an error", s, got)
		}
	}
}
