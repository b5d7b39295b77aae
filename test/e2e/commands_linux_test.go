package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// code N command args...: the command ends with just that code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("code %d, want %d", got, want)
	}
}

// slack is how many times longer than it says eventually waits: scripts name what is
// long on a quiet machine.
const slack = 6

// eventually DURATION command args...: the command succeeds before the time is
// over.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually DURATION command [args...]")
	}
	within, err := time.ParseDuration(args[0])
	ts.Check(err)
	for end := time.Now().Add(slack * within); ; time.Sleep(20 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("not within %s: %v", within, err)
		}
	}
}

// json FILE PATH WANT: the value at the path, such as runs.0.exit_code, prints as
// WANT; /WANT/ is a regular expression, absent means that there is no such value.
func jsonEqual(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH WANT")
	}
	got := value(ts, args[0], args[1])
	want := args[2]
	if len(want) > 1 && want[0] == '/' && want[len(want)-1] == '/' {
		re, err := regexp.Compile(want[1 : len(want)-1])
		ts.Check(err)
		if !re.MatchString(got) {
			ts.Fatalf("%s is %q, which doesn't match %s", args[1], got, re)
		}
	} else if got != want {
		ts.Fatalf("%s is %q, want %q", args[1], got, want)
	}
}

// jsonset VAR PATH: keeps the value at the path in the last output.
func jsonSet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jsonset VAR PATH")
	}
	ts.Setenv(args[0], value(ts, "stdout", args[1]))
}

func value(ts *testscript.TestScript, file, path string) string {
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile(file)), &v); err != nil {
		ts.Fatalf("%s is no JSON: %v", file, err)
	}
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			inner, ok := in[key]
			if !ok {
				return "absent"
			}
			v = inner
		case []any:
			i, err := strconv.Atoi(key)
			ts.Check(err)
			if i < 0 {
				i += len(in)
			}
			if i < 0 || i >= len(in) {
				return "absent"
			}
			v = in[i]
		default:
			return "absent"
		}
	}
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	if reflect.ValueOf(v).Kind() == reflect.Bool {
		return fmt.Sprint(v)
	}
	b, err := json.Marshal(v)
	ts.Check(err)
	return string(b)
}
