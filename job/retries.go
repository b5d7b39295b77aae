package job

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Retries is the policy of repeating: runs go on until one of its limits is
// reached. A limit of -1 is none.
type Retries struct {
	NumRuns       int       `json:"num-runs"`      // default 1, or -1 where another limit is set
	NumSuccesses  int       `json:"num-successes"` // default -1
	NumFailures   int       `json:"num-failures"`  // default -1
	AbortDatetime time.Time `json:"abort-datetime,omitzero"`
	SuccessCodes  Codes     `json:"success-codes"` // default 0
	FailureCodes  Codes     `json:"failure-codes"` // default: all that are no success
	Delay         Duration  `json:"delay"`
	JitterRange   Duration  `json:"jitter-range"`
	BackoffBase   float64   `json:"exponential-backoff-base"` // default 1
	MaxDelay      MaxDelay  `json:"max-delay"`                // default -1
}

// DefaultRetries is one run.
func DefaultRetries() Retries {
	return Retries{NumRuns: 1, NumSuccesses: -1, NumFailures: -1, SuccessCodes: Codes{{0, 0}}, BackoffBase: 1, MaxDelay: NoMaxDelay}
}

// Check tells why a policy can't be followed.
func (r *Retries) Check() error {
	for name, n := range map[string]int{"num-runs": r.NumRuns, "num-successes": r.NumSuccesses, "num-failures": r.NumFailures} {
		if n == 0 || n < -1 {
			return fmt.Errorf("retries.%s is %d; give a number from 1, or -1 for no limit", name, n)
		}
	}
	if r.BackoffBase < 1 || math.IsNaN(r.BackoffBase) || math.IsInf(r.BackoffBase, 0) {
		return fmt.Errorf("retries.exponential-backoff-base is %v; give a number from 1", r.BackoffBase)
	}
	for _, s := range r.SuccessCodes {
		for _, f := range r.FailureCodes {
			if s.Low <= f.High && f.Low <= s.High {
				return fmt.Errorf("code %d is both in retries.success-codes and in retries.failure-codes", max(s.Low, f.Low))
			}
		}
	}
	return nil
}

// classify tells what an exit code means.
func (r *Retries) classify(code int) Result {
	success := r.SuccessCodes
	if success == nil {
		success = Codes{{0, 0}}
	}
	switch {
	case success.Contain(code):
		return Success
	case len(r.FailureCodes) == 0 || r.FailureCodes.Contain(code):
		return Failure
	}
	return Neutral
}

// delay is how long after run n, from 1, the next one starts. random is evenly
// distributed in [0, 1).
func (r *Retries) delay(n int, random float64) time.Duration {
	d := float64(r.Delay)
	if d > 0 && r.BackoffBase > 1 { // 0 times infinity is no number
		d *= math.Pow(r.BackoffBase, float64(n-1))
	}
	d = max(0, d+(random-0.5)*float64(r.JitterRange))
	if r.MaxDelay >= 0 {
		d = min(d, float64(r.MaxDelay))
	}
	return time.Duration(min(d, float64(longest)))
}

// noDelay tells whether one run follows the other at once.
func (r *Retries) noDelay() bool { return r.MaxDelay == 0 || r.Delay == 0 && r.JitterRange == 0 }

// longest is the longest delay, so that it can be added to any time.
const longest = 100 * 365 * 24 * time.Hour

// numRuns is the limit of runs; jobs of schema 1 have none noted, and run once.
func (r *Retries) numRuns() int {
	if r.NumRuns == 0 {
		return 1
	}
	return r.NumRuns
}

// reached tells whether a limit is set and reached.
func reached(count, limit int) bool { return limit > 0 && count >= limit }

// MaxDelay is the longest delay between two runs, or NoMaxDelay, -1 as text.
type MaxDelay Duration

// NoMaxDelay does not limit delays.
const NoMaxDelay MaxDelay = -1

// ParseMaxDelay reads a duration or -1.
func ParseMaxDelay(s string) (MaxDelay, error) {
	if s == "-1" {
		return NoMaxDelay, nil
	}
	d, err := ParseDuration(s)
	return MaxDelay(d), err
}

func (d MaxDelay) String() string {
	if d < 0 {
		return "-1"
	}
	return Duration(d).String()
}

// MarshalText implements encoding.TextMarshaler.
func (d MaxDelay) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *MaxDelay) UnmarshalText(b []byte) (err error) {
	*d, err = ParseMaxDelay(string(b))
	return err
}

// Codes is a set of exit codes, as text "0,10-19".
type Codes []CodeRange

// CodeRange is the codes from Low to High.
type CodeRange struct{ Low, High int }

var errCodes = errors.New("write exit codes like 0,10-19")

// ParseCodes reads a set of exit codes; an empty text is the empty set.
func ParseCodes(s string) (Codes, error) {
	var c Codes
	if strings.TrimSpace(s) == "" {
		return c, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		low, high, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			high = low
		}
		l, err1 := strconv.Atoi(strings.TrimSpace(low))
		h, err2 := strconv.Atoi(strings.TrimSpace(high))
		if err1 != nil || err2 != nil || l < 0 || h > 255 || l > h {
			return nil, fmt.Errorf("%q: codes are from 0 to 255; %w", part, errCodes)
		}
		c = append(c, CodeRange{l, h})
	}
	return c, nil
}

// Contain tells whether a code is in the set.
func (c Codes) Contain(code int) bool {
	for _, r := range c {
		if r.Low <= code && code <= r.High {
			return true
		}
	}
	return false
}

func (c Codes) String() string {
	parts := make([]string, len(c))
	for i, r := range c {
		parts[i] = strconv.Itoa(r.Low)
		if r.High != r.Low {
			parts[i] += "-" + strconv.Itoa(r.High)
		}
	}
	return strings.Join(parts, ",")
}

// MarshalText implements encoding.TextMarshaler.
func (c Codes) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Codes) UnmarshalText(b []byte) (err error) {
	*c, err = ParseCodes(string(b))
	return err
}
