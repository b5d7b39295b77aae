package events

import (
	"io"
	"os"
)

// appendTo writes to the end of a file.
func appendTo(file string, b []byte) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_, err = f.Write(b)
	size, serr := f.Seek(0, io.SeekCurrent)
	if cerr := f.Close(); err == nil && serr == nil && cerr == nil && size > maxSize {
		_ = os.Rename(file, file+older) // what another has open can't be; then the next one tries
	}
}
