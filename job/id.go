package job

import (
	"crypto/rand"
	"encoding/hex"
)

// ID names a job: a random UUID, version 4, lower case with dashes.
type ID string

// NewID returns a fresh random id.
func NewID() ID {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return ID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

// idLength is the length of a full id.
const idLength = 36

// IsID tells whether s has the form of a full id.
func IsID(s string) bool { return len(s) == idLength && IsIDPrefix(s) }

// IsIDPrefix tells whether s can be the beginning of an id that is long enough
// (4 characters) to name a job.
func IsIDPrefix(s string) bool {
	for i, c := range []byte(s) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return len(s) >= 4 && len(s) <= idLength
}

// Short returns the first 8 characters: what tables show.
func (id ID) Short() string {
	if len(id) < 8 {
		return string(id)
	}
	return string(id[:8])
}

// Ref names one run of one job.
type Ref struct {
	ID  ID
	Run int // from 1
}
