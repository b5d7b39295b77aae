package job

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"90": 90 * time.Second, "1.5s": 1500 * time.Millisecond, "10m": 10 * time.Minute, "1h30m": 90 * time.Minute,
		"2d12h": 60 * time.Hour, "1w": 7 * 24 * time.Hour, "0": 0, "250ms": 250 * time.Millisecond,
	} {
		d, err := ParseDuration(in)
		if err != nil || time.Duration(d) != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", in, time.Duration(d), err, want)
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Errorf("%q prints as %q, which reads as %v, %v", in, d, again, err)
		}
	}
	for _, in := range []string{"", "-1", "1x", "s", "1h30", "1..5s", "99999999999999w", "1 h", "NaN", "1e9s"} {
		if d, err := ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", in, d)
		}
	}
}

func FuzzDuration(f *testing.F) {
	f.Add("1h30m")
	f.Fuzz(func(t *testing.T, in string) {
		d, err := ParseDuration(in)
		if err != nil {
			return
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Fatalf("%q prints as %q, which reads as %v, %v", in, d, again, err)
		}
	})
}

func TestSignals(t *testing.T) {
	for in, want := range map[string]Signal{"TERM": "TERM", "SIGTERM": "TERM", "sigusr1": "USR1", "15": "TERM", "9": "KILL"} {
		if s, err := ParseSignal(in); err != nil || s != want {
			t.Errorf("ParseSignal(%q) = %q, %v; want %q", in, s, err, want)
		}
	}
	for _, in := range []string{"", "0", "-1", "999", "TERMX", "SIG"} {
		if s, err := ParseSignal(in); err == nil {
			t.Errorf("ParseSignal(%q) = %q, want an error", in, s)
		}
	}
	if _, max := realtimeSignals(); max != 0 {
		if n := Signal("RTMAX-1").Number(); n != max-1 {
			t.Errorf("RTMAX-1 is %d", n)
		}
		if s := SignalName(syscall.Signal(37)); s != "RTMIN+3" || s.Number() != 37 {
			t.Errorf("37 is %q, %d", s, s.Number())
		}
	}
}

func TestTextArrivesByteForByteThroughJSON(t *testing.T) {
	for _, s := range []string{"", "plain", "a\nb", "<&>", "\x00\xff\xfe", "{\"base64\":1}", "🎉"} {
		b, err := json.Marshal(Text(s))
		if err != nil {
			t.Fatal(err)
		}
		var back Text
		if err := json.Unmarshal(b, &back); err != nil || string(back) != s {
			t.Errorf("%q went through %s and came back as %q, %v", s, b, back, err)
		}
	}
}

func TestASpecArrivesThroughJSON(t *testing.T) {
	in := `{"command":["a",{"base64":"/w=="}],"name":"n","group":"","chdir":"/","stop-signal":"TERM","stop-grace":"1m30s",` +
		`"log":{"stdout":true,"stderr":true,"prefix-timestamp":false},"retries":{"num-runs":1,"num-successes":-1,"num-failures":-1,"success-codes":"0","failure-codes":"","delay":"0s","jitter-range":"0s","exponential-backoff-base":1,"max-delay":"-1"},"umask":"0027","nice":5,"limits":{"nofile":"1024:infinity"}}`
	var s Spec
	if err := json.Unmarshal([]byte(in), &s); err != nil {
		t.Fatal(err)
	}
	if s.Umask != 0o027 || s.Limits["nofile"] != (Limit{1024, Unlimited}) || s.Command[1] != "\xff" {
		t.Fatalf("read %+v", s)
	}
	out, err := json.Marshal(s)
	if err != nil || string(out) != in {
		t.Fatalf("%v\ngot  %s\nwant %s", err, out, in)
	}
}

func TestNames(t *testing.T) {
	for _, good := range []string{"a", "nightly backup", "🎉", "50% off", strings.Repeat("ü", 200), "a/b"} {
		if err := CheckName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "-a", "a\nb", "\x1b[31m", strings.Repeat("x", 201), "\xff", string(NewID())} {
		if err := CheckName(bad); err == nil {
			t.Errorf("%q is taken for a name", bad)
		}
	}
}

func TestIDs(t *testing.T) {
	id := NewID()
	if !IsID(string(id)) || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("%s is no UUID of version 4", id)
	}
	for prefix, want := range map[string]bool{"3f2": false, "3f2a": true, "3f2a91c4-": true, "3F2A": false, "zzzz": false, string(id): true} {
		if IsIDPrefix(prefix) != want {
			t.Errorf("IsIDPrefix(%q) = %v", prefix, !want)
		}
	}
}

func TestTimesInThePast(t *testing.T) {
	zone := time.FixedZone("here", 2*3600)
	now := time.Date(2026, 11, 23, 9, 30, 0, 0, zone)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, zone) }
	for text, want := range map[string]time.Time{
		"10m":                  now.Add(-10 * time.Minute),
		"90":                   now.Add(-90 * time.Second),
		"2026-11-23T06:00:00Z": at(23, 8, 0),
		"2026-11-22 23:00":     at(22, 23, 0),
		"2026-11-22T23:00:00":  at(22, 23, 0),
		"08:00":                at(23, 8, 0),
		"10:00":                at(22, 10, 0), // today's is still to come
		"yesterday 08:00":      at(22, 8, 0),
		"yesterday 23:59":      at(22, 23, 59),
		"@1795420800":          time.Unix(1795420800, 0),
		"+1h":                  now.Add(time.Hour),
	} {
		if got, err := ParseTime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "half past nine", "-10m"} {
		if got, err := ParseTime(text, now); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
