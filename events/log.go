package events

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

// Name is how the files are called.
const Name = "jobman.log"

// older is what the name of the file before ends with.
const older = ".1"

// maxSize is how large a file may become, in bytes, before it is renamed.
const maxSize = 256 << 10

// Log is the path of a jobman.log. Its directory must be there; where it is not,
// nothing is kept.
type Log string

// Add appends the events, all in one write. What can't be written is left out.
func (l Log) Add(events ...Event) {
	if len(events) == 0 {
		return
	}
	var b []byte
	for i := range events {
		b = appendEvent(b, &events[i])
	}
	appendTo(string(l), b)
}

// Read returns the events in the order in which they were written, and before them
// those of the file before. No file: none.
func (l Log) Read() ([]Event, error) {
	var all []Event
	for _, name := range []string{string(l) + older, string(l)} {
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return all, err
		}
		for line := range strings.Lines(string(b)) {
			all = append(all, parse(strings.TrimSuffix(line, "\n"))...)
		}
	}
	return all, nil
}
