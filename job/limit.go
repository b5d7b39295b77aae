package job

import (
	"fmt"
	"strconv"
	"strings"
)

// Limit is a resource limit, soft and hard, see setrlimit(2). As text it is
// soft:hard, with infinity for [Unlimited], as systemd.exec(5) writes it.
type Limit struct{ Soft, Hard uint64 }

// Unlimited is RLIM_INFINITY of Linux; that of other systems is mapped to it.
const Unlimited = ^uint64(0)

// MarshalText implements encoding.TextMarshaler.
func (l Limit) MarshalText() ([]byte, error) {
	return []byte(limitText(l.Soft) + ":" + limitText(l.Hard)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Limit) UnmarshalText(b []byte) error {
	soft, hard, _ := strings.Cut(string(b), ":")
	var err1, err2 error
	l.Soft, err1 = parseLimit(soft)
	l.Hard, err2 = parseLimit(hard)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("%q is no limit; write soft:hard, such as 1024:infinity", b)
	}
	return nil
}

// Umask is a file mode creation mask, see umask(2); as text it is octal.
type Umask int

// MarshalText implements encoding.TextMarshaler.
func (u Umask) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%04o", int(u)), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (u *Umask) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 8, 9)
	if err != nil {
		return fmt.Errorf("%q is no umask; write it in octal, such as 0022", b)
	}
	*u = Umask(n)
	return nil
}

func limitText(n uint64) string {
	if n == Unlimited {
		return "infinity"
	}
	return strconv.FormatUint(n, 10)
}

func parseLimit(s string) (uint64, error) {
	if s == "infinity" {
		return Unlimited, nil
	}
	return strconv.ParseUint(s, 10, 64)
}
