package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// unread tells whether journald still has something to read: of streams that all
// their writers have closed, and of entries.
//
// There is no telling it from journald itself, which only root may ask to sync. But
// the kernel tells anybody of all unix sockets of the network namespace
// (sock_diag(7)): a stream that journald has read to its end is closed, and so is
// gone.
func unread() (streams, entries bool, err error) { return unreadOf(stdoutSocket, nativeSocket) }

func unreadOf(stdoutPath, nativePath string) (streams, entries bool, err error) {
	stdout, err := socketOf(stdoutPath)
	if err != nil {
		return false, false, err
	}
	native, err := socketOf(nativePath)
	if err != nil {
		return false, false, err
	}
	err = eachUnixSocket(func(s unixSocket) {
		waiting := s.queued > 0
		switch {
		case s.place == native:
			entries = entries || waiting
		case s.place != stdout:
		case s.state == tcpListen:
			streams = streams || waiting // not accepted yet
		default:
			streams = streams || s.shutdown&rcvShutdown != 0
		}
	})
	if err != nil {
		return false, false, fmt.Errorf("ask the kernel for sockets: %w", err)
	}
	return streams, entries, nil
}

// awaitRead waits until journald has read what unread tells of, but no longer than
// the context, and returns whether it has. Where that can't be known it says so at
// once.
func awaitRead(ctx context.Context, entriesToo bool) bool {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		streams, entries, err := unread()
		if err != nil || !streams && (!entries || !entriesToo) {
			return true
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
	}
}

const (
	tcpListen   = 10 // a state, also of unix sockets
	rcvShutdown = 1

	showVFS    = 0x02 // UDIAG_SHOW_VFS, see linux/unix_diag.h
	showQueues = 0x10 // UDIAG_SHOW_RQLEN

	attrVFS      = 1
	attrQueues   = 4
	attrShutdown = 6
)

// place is what a socket is bound to.
type place struct{ inode, device uint32 }

// socketOf is the place of a path, as the kernel tells it.
func socketOf(path string) (place, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return place{}, fmt.Errorf("stat %s: %w", path, err)
	}
	dev := uint64(st.Dev) //nolint:unconvert // it is narrower on some
	return place{uint32(st.Ino), unix.Major(dev)<<20 | unix.Minor(dev)}, nil
}

type unixSocket struct {
	place    place
	state    byte
	shutdown byte
	queued   uint32 // bytes to be read; of a listening one, connections to be accepted
}

func eachUnixSocket(do func(unixSocket)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // it was only read
	timeout := unix.Timeval{Sec: 1}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return err
	}
	if err := unix.Sendto(fd, diagRequest(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		done, err := diagMessages(buf[:n], do)
		if done || err != nil {
			return err
		}
	}
}

// diagRequest is a struct nlmsghdr and a struct unix_diag_req.
func diagRequest() []byte {
	const size = 16 + 24
	b := make([]byte, 0, size)
	b = binary.NativeEndian.AppendUint32(b, size)
	b = binary.NativeEndian.AppendUint16(b, unix.SOCK_DIAG_BY_FAMILY)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b = append(b, make([]byte, 8)...)
	b = append(b, unix.AF_UNIX, 0, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, ^uint32(0)) // all states
	b = append(b, make([]byte, 4)...)                   // all inodes
	b = binary.NativeEndian.AppendUint32(b, showVFS|showQueues)
	return append(b, make([]byte, 8)...)
}

// diagMessages reads the answers in a datagram: a struct nlmsghdr, a struct
// unix_diag_msg and attributes each.
func diagMessages(b []byte, do func(unixSocket)) (done bool, err error) {
	const header, message = 16, 16
	for len(b) >= header {
		size := int(binary.NativeEndian.Uint32(b))
		kind := binary.NativeEndian.Uint16(b[4:])
		if size < header || size > len(b) {
			return false, unix.EBADMSG
		}
		body := b[header:size]
		switch {
		case kind == unix.NLMSG_DONE:
			return true, nil
		case kind == unix.NLMSG_ERROR && len(body) >= 4:
			return false, unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
		case kind == unix.SOCK_DIAG_BY_FAMILY && len(body) >= message:
			do(diagSocket(body[2], body[message:]))
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return false, nil
}

func diagSocket(state byte, attributes []byte) unixSocket {
	s := unixSocket{state: state}
	for a := attributes; len(a) >= 4; {
		size := int(binary.NativeEndian.Uint16(a))
		if size < 4 || size > len(a) {
			break
		}
		switch value := a[4:size]; binary.NativeEndian.Uint16(a[2:]) {
		case attrVFS:
			if len(value) >= 8 {
				s.place = place{binary.NativeEndian.Uint32(value), binary.NativeEndian.Uint32(value[4:])}
			}
		case attrQueues:
			if len(value) >= 4 {
				s.queued = binary.NativeEndian.Uint32(value)
			}
		case attrShutdown:
			if len(value) >= 1 {
				s.shutdown = value[0]
			}
		}
		a = a[min(len(a), (size+3)&^3):]
	}
	return s
}
