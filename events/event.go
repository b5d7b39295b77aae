package events

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Level says how much an event matters.
type Level int8

// The levels. Info is what happened to a job as it should; Warn what a user may
// want to know; Error what went wrong; Debug the rest.
const (
	Debug Level = iota - 1
	Info        // the zero value
	Warn
	Error
)

var levelNames = map[Level]string{Debug: "debug", Info: "info", Warn: "warn", Error: "error"}

func (l Level) String() string { return levelNames[l] }

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// ParseLevel reads a level's name.
func ParseLevel(name string) (Level, error) {
	for level, n := range levelNames {
		if n == name {
			return level, nil
		}
	}
	return 0, fmt.Errorf("%q is no level; there are error, warn, info and debug", name)
}

// Field is a key with its value.
type Field struct{ Key, Value string }

// Event is one line of a jobman.log.
type Event struct {
	Time   time.Time
	Level  Level
	By     string // the verb of the process
	PID    int
	What   string // one word, such as submitted
	Fields []Field
	// Text is a line that is no event: the last words of a process that crashed.
	// Of such a line it is all that is known.
	Text string
}

// New makes an event of this process, of now. Keys and values follow one another;
// a value that is empty, or a time that is zero, is left out with its key.
func New(level Level, what string, pairs ...any) Event {
	e := Event{Time: time.Now().UTC(), Level: level, By: process, PID: os.Getpid(), What: what}
	for i := 0; i+1 < len(pairs); i += 2 {
		if text := text(pairs[i+1]); text != "" {
			e.Fields = append(e.Fields, Field{fmt.Sprint(pairs[i]), text})
		}
	}
	return e
}

// Failure is the event that something went wrong.
func Failure(err error) Event { return New(Error, "error", "error", err) }

// process is the verb of this process.
var process = "jobman"

// Use says what this process calls itself in its events.
func Use(verb string) { process = verb }

// maxText bounds a value, in bytes.
const maxText = 1000

func text(v any) string {
	var s string
	switch v := v.(type) {
	case nil:
		return ""
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(stampLayout)
	case error:
		s = oneLine(v)
	default:
		s = fmt.Sprint(v)
	}
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// oneLine is an error's text; joined ones are told in one line.
func oneLine(err error) string {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
