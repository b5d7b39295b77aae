package shells

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a shell on a pseudo-terminal, see pty(7).
type terminal struct {
	t    *testing.T
	ptmx *os.File
	out  bytes.Buffer // what it printed since the last key
}

// patience is how long a shell may take for a line.
const patience = time.Minute

// start starts a shell on a terminal, and ends it when the test does.
func start(t *testing.T, env []string, argv ...string) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	ptmx := os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { ptmx.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 200}); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be gone already
		_ = cmd.Wait()         // it was killed
	})
	return &terminal{t: t, ptmx: ptmx}
}

// press types keys.
func (s *terminal) press(keys string) {
	s.t.Helper()
	if _, err := s.ptmx.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// await reads until what was printed matches, and returns the submatch.
func (s *terminal) await(re *regexp.Regexp) string {
	s.t.Helper()
	if err := s.ptmx.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for {
		if m := re.FindSubmatch(s.out.Bytes()); m != nil {
			s.out.Reset()
			return string(m[1])
		}
		n, err := s.ptmx.Read(buf)
		if err != nil {
			s.t.Fatalf("%v, waiting for %s in\n%q", err, re, s.out.String())
		}
		s.out.Write(buf[:n])
		// fish asks what the terminal can do.
		if bytes.Contains(buf[:n], []byte("\x1b[c")) || bytes.Contains(buf[:n], []byte("\x1b[0c")) {
			s.press("\x1b[?62c")
		}
	}
}

var shown = regexp.MustCompile(`(?s)<<(.*?)>>`)

// complete types a line and a tab, and returns the line that comes of it and what was
// printed beside.
func (s *terminal) complete(line string) string {
	s.t.Helper()
	s.press("\x15" + line + "\t" + "\x18p")
	return strings.NewReplacer("\r\n", "\n").Replace(s.await(shown))
}
