package job

import (
	"math"
	"testing"
)

func TestSizesAreRead(t *testing.T) {
	for s, want := range map[string]Size{
		"1": 1, "1000": 1000, "10MB": 1e7, "64KiB": 65536, "64 KiB": 65536, "1.5kB": 1500, "2GiB": 2 << 30, "1B": 1, "3TB": 3e12, "99999999999999999999": math.MaxInt64,
	} {
		got, err := ParseSize(s)
		if got != want || err != nil {
			t.Errorf("%q: %d, %v, want %d", s, got, err, want)
		}
		again, err := ParseSize(got.String())
		if again != got || err != nil && got != math.MaxInt64 {
			t.Errorf("%q prints as %q, which is %d, %v", s, got, again, err)
		}
	}
	for _, s := range []string{"", "0", "0MB", "-1", "MB", "10 M", "10m", "1e3", "0x10", "NaN", "Inf", "10MB ", "1.2.3", "0.1"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("%q: %d, want an error", s, got)
		}
	}
}
