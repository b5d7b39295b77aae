package journal

import (
	"fmt"
	"strings"
)

// Stream says which of a run's two outputs something was written to.
type Stream uint8

// The streams. Their numbers index arrays and are not stored.
const (
	Stdout Stream = iota
	Stderr
	numStreams = iota
)

// String returns stdout or stderr, as in the files.
func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// MarshalText implements encoding.TextMarshaler, for JSON.
func (s Stream) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

// Streams is a set of streams. The zero value is the set of all, because to
// select none makes no sense.
type Streams uint8

// StreamSet returns the set of the given streams.
func StreamSet(streams ...Stream) Streams {
	var set Streams
	for _, s := range streams {
		set |= 1 << s
	}
	return set
}

// ParseStreams reads a comma-separated list, such as "stdout,stderr". An unknown
// or empty name is an error.
func ParseStreams(list string) (Streams, error) {
	var set Streams
	for name := range strings.SplitSeq(list, ",") {
		switch strings.TrimSpace(name) {
		case Stdout.String():
			set |= StreamSet(Stdout)
		case Stderr.String():
			set |= StreamSet(Stderr)
		default:
			return 0, fmt.Errorf("unknown stream %q: stdout or stderr", name)
		}
	}
	return set, nil
}

// Has reports whether the set has the stream.
func (set Streams) Has(s Stream) bool {
	return set == 0 || set&(1<<s) != 0
}
