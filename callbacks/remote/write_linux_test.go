package remote

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pseudoTerminal is one of this user's; what is written to it is read from its master.
func pseudoTerminal(t *testing.T) (master *os.File, path string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	path = fmt.Sprintf("/dev/pts/%d", n)
	held, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { held.Close() })
	return master, path
}

func TestWrite(t *testing.T) {
	master, path := pseudoTerminal(t)
	globs := terminals
	terminals = []string{path}
	defer func() { terminals = globs }()
	a := send1(t, "write", nil, nil)
	if a.Error != nil {
		t.Fatal(a.Error)
	}
	var text strings.Builder
	b := make([]byte, 4096)
	for !strings.Contains(text.String(), "[31m") {
		n, err := master.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b[:n])
	}
	if got := text.String(); !strings.Contains(got, "failure: bad  Bcc: x@y on host") || strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

func TestATerminalThatTakesNothing(t *testing.T) {
	master, path := pseudoTerminal(t)
	if err := writeTo(path, strings.Repeat("x", 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, unix.EAGAIN) {
		t.Errorf("a full terminal: %v", err)
	}
	if err := master.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		t.Error(err)
	}
}
