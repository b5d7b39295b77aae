//go:build unix

package sensors

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobman/job"
)

func script(t *testing.T, text string) string {
	t.Helper()
	return write(t, open(t)+"/script", "#!/bin/sh\n"+text+"\n", 0o755)
}

func TestScript(t *testing.T) {
	for text, want := range map[string]job.Check{
		"":                                     {Met: true},
		"echo out; echo one >&2; echo two >&2": {Met: true, Detail: "two"},
		"exit 3":                               {Detail: "exit code 3"},
		"echo why >&2; exit 1":                 {Detail: "exit code 1: why"},
		`printf 'a\033[31mb\000\r\n\n' >&2; exit 1`: {Detail: "exit code 1: a [31mb"},
		"kill -9 $$":                                {Detail: "signal: killed"},
		`test "$#" = 0`:                             {Met: true},
		"read x; test $? = 1":                       {Met: true}, // of /dev/null
		"test -t 0 || exit 4":                       {Detail: "exit code 4"},
		"yes | head -c 300000 >&2":                  {Met: true, Detail: "y"},
		"head -c 300000 /dev/zero | tr '\\0' x >&2": {Met: true, Detail: strings.Repeat("x", maxStderr)},
	} {
		got := check(t, job.KindScript, script(t, text))
		got.At = time.Time{}
		if got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func TestScriptRunsAsTheJobDoes(t *testing.T) {
	dir := open(t)
	c := Checker{Dir: dir, Environ: []string{"WHAT=ever"}, Prepare: as(t, nobody)}
	if err := os.Setenv("SENSORS_OURS", "1"); err != nil {
		t.Fatal(err)
	}
	got := look(t, c, job.KindScript, script(t, `echo "$PWD $WHAT ${SENSORS_OURS-unset} $(/usr/bin/id -u)" >&2`))
	if want := dir + " ever unset 65534"; !got.Met || got.Detail != want {
		t.Errorf("%+v, want %s", got, want)
	}
	c.Environ = nil
	if got := look(t, c, job.KindScript, script(t, `test -z "$SENSORS_OURS"`)); !got.Met {
		t.Errorf("without an environment: %+v", got)
	}
	c.Prepare = func(*exec.Cmd) error { return errors.New("no such\nuser") }
	if got := look(t, c, job.KindScript, script(t, "")); got.Met || got.Error != "no such user" {
		t.Errorf("%+v", got)
	}
}

func TestScriptThatCannotBeRun(t *testing.T) {
	dir := open(t)
	vanishing := script(t, `rm "$0"`)
	if got := check(t, job.KindScript, vanishing); !got.Met {
		t.Fatalf("%+v", got)
	}
	for path, why := range map[string]string{
		vanishing: "no such file",
		dir:       "is a directory",
		write(t, dir+"/plain", "#!/bin/sh\n", 0o644):                    "permission denied",
		write(t, dir+"/interpreter", "#!/nowhere/interpreter\n", 0o755): "no such file",
		write(t, dir+"/text", "echo\n", 0o755):                          "exec format error",
	} {
		if got := check(t, job.KindScript, path); got.Met || !strings.Contains(got.Error, why) {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if got := look(t, Checker{Dir: "/nowhere"}, job.KindScript, script(t, "")); got.Met || !strings.Contains(got.Error, "/nowhere") {
		t.Errorf("%+v", got)
	}
}

// fifo is where the children of a script say who they are; reading it comes to an
// end when all of them have.
func fifo(t *testing.T) (path string, f *os.File) {
	t.Helper()
	path = open(t) + "/fifo"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return path, f
}

func TestScriptThatHangsIsKilledWithItsChildren(t *testing.T) {
	defer func(was time.Duration) { scriptLimit = was }(scriptLimit)
	scriptLimit = 300 * time.Millisecond
	path, children := fifo(t)
	// All hold the FIFO open until they are dead.
	got := check(t, job.KindScript, script(t, "exec 3>"+path+"; echo >&3; echo hanging >&2; sleep 1000 & (sleep 1000 & wait) & wait"))
	if got.Met || got.Error != "no answer within 300ms: killed: hanging" {
		t.Errorf("%+v", got)
	}
	if err := children.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(children)
	lines := 0
	for in.Scan() {
		lines++
	}
	if lines != 1 || in.Err() != nil {
		t.Errorf("%d lines; children live: %v", lines, in.Err())
	}
}

func TestScriptWhoseChildrenHoldStderr(t *testing.T) {
	path, children := fifo(t)
	for code, want := range map[string]job.Check{"0": {Met: true, Detail: "said"}, "2": {Detail: "exit code 2: said"}} {
		began := time.Now()
		got := check(t, job.KindScript, script(t, "sleep 1000 & echo $! >"+path+"; echo said >&2; exit "+code))
		took := time.Since(began)
		line, err := bufio.NewReader(children).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Error("the child does not live:", err)
		}
		got.At = time.Time{}
		if got != want || took > 10*time.Second {
			t.Errorf("after %s: %+v, want %+v", took, got, want)
		}
	}
}
