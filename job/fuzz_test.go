package job

import (
	"testing"
	"time"
)

// readsBack fuzzes a form that users write: what is accepted prints as what reads
// back to the same.
func readsBack[T any](f *testing.F, parse func(string) (T, error), print func(T) string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		v, err := parse(in)
		if err != nil {
			_ = err.Error()
			return
		}
		text := print(v)
		again, err := parse(text)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", in, text, err)
		}
		if print(again) != text {
			t.Fatalf("%q prints as %q, and that as %q", in, text, print(again))
		}
	})
}

func FuzzSize(f *testing.F) {
	readsBack(f, ParseSize, Size.String, "1000", "64KiB", "10MB", "1.5GB", "9223372036854775807", "8388608TiB", "0.5", "1.KiB", ".5MB")
}

func FuzzCodes(f *testing.F) {
	readsBack(f, ParseCodes, Codes.String, "", "0", "0,10-19", " 1 - 2 , 3", "255", "0-255,0", "-1", "1-", "256")
}

func FuzzMaxDelay(f *testing.F) { readsBack(f, ParseMaxDelay, MaxDelay.String, "-1", "0", "10m", "-2") }

func FuzzSignal(f *testing.F) {
	readsBack(f, ParseSignal, func(s Signal) string { return string(s) }, "TERM", "sigusr1", "9", "RTMIN+3", "RTMAX-1", "-1", "99")
}

// stamped is a time as jobman prints it.
func stamped(t time.Time) string { return t.UTC().Format(StampLayout) }

var fuzzed = time.Date(2026, 11, 23, 8, 0, 0, 0, time.FixedZone("CET", 3600))

func FuzzMoment(f *testing.F) {
	readsBack(f, func(s string) (time.Time, error) { return ParseMoment(s, fuzzed) }, stamped,
		"2026-11-23T08:00:00Z", "2026-11-23T08:00:00.123456789+14:00", "2026-11-23 08:00", "08:00", "tomorrow 08:00", "+10m", "+15000w", "@1795420800", "@1e11", "@0.5", "0000-01-01 0:00", "9999-12-31T23:59:59-01:00")
}

func FuzzTime(f *testing.F) {
	readsBack(f, func(s string) (time.Time, error) { return ParseTime(s, fuzzed) }, stamped,
		"10m", "08:00:01", "yesterday 08:00", "@1795420800", "2026-11-23T08:00:00Z", "15000w", "0001-01-01 00:00")
}

// A year that RFC 3339 can't write could not be kept.
func TestMomentsHaveAYearOfFourDigits(t *testing.T) {
	for _, in := range []string{"0000-12-31T23:59:59Z", "0001-01-01 00:30", "9999-12-31T23:59:59-01:00"} {
		if at, err := ParseMoment(in, fuzzed); err == nil {
			t.Errorf("%s is accepted as %s", in, at)
		}
	}
	if _, err := ParseMoment("9999-12-31 23:59", fuzzed); err != nil {
		t.Error(err)
	}
}
