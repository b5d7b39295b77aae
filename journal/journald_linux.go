package journal

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"jobman/job"
)

// The sockets of systemd-journald(8).
const (
	nativeSocket = "/run/systemd/journal/socket" // datagrams, one an entry
	stdoutSocket = "/run/systemd/journal/stdout" // streams, one line an entry
)

// Probe looks whether journald takes output here.
func Probe() job.Journald {
	fd, err := dialNative()
	if errors.Is(err, os.ErrNotExist) {
		return job.Journald{Why: "there is no journald: " + nativeSocket + " is missing"}
	}
	if err != nil {
		return job.Journald{Why: fmt.Sprintf("journald does not answer at %s: %v", nativeSocket, err)}
	}
	_ = unix.Close(fd) // nothing was sent
	return job.Journald{Runs: true, Why: "journald answers at " + nativeSocket}
}

// dialNative connects to the socket for entries, whoever holds it.
func dialNative() (fd int, err error) {
	return dial(unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, nativeSocket)
}

func dial(kind int, path string) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = ignoreEINTR(func() error { return unix.Connect(fd, &unix.SockaddrUnix{Name: path}) })
	if err != nil {
		_ = unix.Close(fd) // the error is what it was opened for
		return -1, err
	}
	return fd, nil
}

// DialStream connects a stream of a run to journald, and returns its descriptor:
// what is written there becomes an entry a line, with this SYSLOG_IDENTIFIER.
// journald believes the unit only of root. Where it is not reading, the caller
// waits.
func DialStream(identifier, unit string, s Stream) (fd int, err error) {
	fd, err = dial(unix.SOCK_STREAM, stdoutSocket)
	if err != nil {
		return -1, fmt.Errorf("connect to journald at %s: %w", stdoutSocket, err)
	}
	// Identifier, unit, priority, and four times no: prefixes of the level in the
	// text, and copies to syslog, the kernel's log and the console.
	header := fmt.Appendf(nil, "%s\n%s\n%d\n0\n0\n0\n0\n", identifier, unit, priority(s))
	for len(header) > 0 && err == nil {
		var n int
		err = ignoreEINTR(func() error {
			n, err = unix.Write(fd, header)
			return err
		})
		header = header[max(0, n):]
	}
	if err == nil {
		err = unix.Shutdown(fd, unix.SHUT_RD) // it says nothing
	}
	if err != nil {
		_ = unix.Close(fd) // as above
		return -1, fmt.Errorf("greet journald: %w", err)
	}
	return fd, nil
}

// native is a connection for entries.
type native struct{ fd int }

func newNative() (*native, error) {
	fd, err := dialNative()
	if err != nil {
		return nil, err
	}
	return &native{fd}, nil
}

// send sends one entry, and waits for room for it until the deadline, at most.
func (n *native) send(entry []byte, deadline func() time.Time) error {
	for {
		err := ignoreEINTR(func() error {
			_, err := unix.Write(n.fd, entry)
			return err
		})
		if !errors.Is(err, unix.EAGAIN) {
			return err
		}
		left := time.Until(deadline())
		if left <= 0 {
			return err
		}
		poll := []unix.PollFd{{Fd: int32(n.fd), Events: unix.POLLOUT}}
		wait := min(left, 50*time.Millisecond) // the deadline may be moved
		if _, err := unix.Poll(poll, int(wait/time.Millisecond)+1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// broken tells whether a new connection may help.
func broken(err error) bool {
	return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EMSGSIZE)
}

func (n *native) close() {
	_ = unix.Close(n.fd) // what was sent was sent
}
