package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"jobman/config"
)

// lineSpec is what a line asks for, as JSON.
func lineSpec(s *submitter, line []byte) ([]byte, error) {
	l, err := parseSpecLine(line, s.known)
	if err != nil {
		return nil, err
	}
	if err := s.parse(l); err != nil {
		return nil, err
	}
	spec, _, err := s.g.Run.spec(s.app)
	if err != nil {
		return nil, err
	}
	return json.Marshal(spec)
}

func newLines(t testing.TB) *submitter {
	a := &app{ctx: t.Context(), stdout: io.Discard, stderr: io.Discard, settings: new(config.Settings), words: words{verb: []string{verbRun}}}
	s, err := a.newSubmitter()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzSpecLine: no line makes run --from panic, and the spec of one that is accepted
// is that of the job that is submitted with it.
func FuzzSpecLine(f *testing.F) {
	for _, line := range []string{
		`{"command": ["true"]}`, `{"command": ["a", {"base64": "/w=="}], "name": "x", "chdir": {"base64": "L/8="}}`, `null`, `[]`, `{`, `{"command": []}`, `{"command": [""]}`,
		`{"command": ["sh"], "retry": 3, "timeout": "5m"}`, `{"command": ["sh"], "timeout": {"run": "5m", "job": 90}}`,
		`{"command": ["sh"], "wait": {"datetime": "+10m", "timedelta": "1w2d", "file": ["a"], "any": true}, "wait.extra-delay": 1.5}`,
		`{"command": ["sh"], "wait.sensor": [{"name": "s", "type": "timedelta", "targets": ["3s"], "delay": "1s"}, {"name": "f", "type": "script", "targets": ["/x"], "poll-interval": "9s"}]}`,
		`{"command": ["sh"], "retries": {"success-codes": "0,3-5", "exponential-backoff-base": 1e3, "max-delay": -1, "num-runs": -1}, "notify": ["x"]}`,
		`{"command": ["sh"], "property": ["MemoryMax=1G", "Nice=3"], "umask": "0077", "nice": 5, "limits": {"nofile": "1:infinity"}, "notify.any": ["x"]}`,
		`{"command": ["sh"], "log": {"stdout": false, "file": {"max-bytes": "1.5GB"}, "run.max-files": 3}, "stop-signal": 9, "resolved": true}`,
	} {
		f.Add([]byte(line))
	}
	s := newLines(f) // one for all lines, as with --from
	f.Fuzz(func(t *testing.T, line []byte) {
		if strings.Contains(string(line), "job") || strings.Contains(string(line), `\u`) {
			t.Skip("jobs to wait for are looked up in the store")
		}
		once, err := lineSpec(s, line)
		if err != nil {
			_ = err.Error()
			return
		}
		again, err := lineSpec(s, once)
		if err != nil {
			t.Fatalf("%s was accepted, and gives\n%s\nwhich is not: %v", line, once, err)
		}
		if string(again) != string(once) {
			t.Fatalf("%s gives\n%s\nand that\n%s", line, once, again)
		}
	})
}

// A spec that is complete gets nothing from the configuration; another line does.
func TestACompleteSpecIsSubmittedAsItIs(t *testing.T) {
	s := newLines(t)
	t.Setenv("JOBMAN_GROUP", "g")
	for line, group := range map[string]string{
		`{"command": ["true"]}`:                                   `"group":"g"`,
		`{"command": ["true"], "group": "own"}`:                   `"group":"own"`,
		`{"command": ["true"], "group": ""}`:                      `"group":""`,
		`{"command": ["true"], "resolved": true}`:                 `"group":""`,
		`{"command": ["true"], "group": null}`:                    `"group":"g"`,
		`{"command": ["true"], "resolved": true, "group": "own"}`: `"group":"own"`,
	} {
		spec, err := lineSpec(s, []byte(line))
		if err != nil || !strings.Contains(string(spec), group) {
			t.Errorf("%s: %s, %v", line, spec, err)
		}
	}
}
