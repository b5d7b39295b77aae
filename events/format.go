package events

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// stampLayout is RFC 3339 in UTC, to the microsecond.
const stampLayout = "2006-01-02T15:04:05.000000Z07:00"

// start is what every line begins with.
const start = "time="

// appendEvent appends the event's line.
func appendEvent(dst []byte, e *Event) []byte {
	dst = e.Time.UTC().AppendFormat(append(dst, start...), stampLayout)
	dst = append(append(dst, " level="...), e.Level.String()...)
	dst = appendField(dst, "by", e.By)
	dst = strconv.AppendInt(append(dst, " pid="...), int64(e.PID), 10)
	dst = appendField(dst, "event", e.What)
	for _, f := range e.Fields {
		dst = appendField(dst, f.Key, f.Value)
	}
	return append(dst, '\n')
}

func appendField(dst []byte, key, value string) []byte {
	dst = append(append(append(dst, ' '), key...), '=')
	if bare(value) {
		return append(dst, value...)
	}
	return strconv.AppendQuote(dst, value)
}

// bare tells whether a value needs no quotes.
func bare(s string) bool {
	for _, c := range s {
		if c <= ' ' || c == '"' || c == '=' || c == '\\' || c == utf8.RuneError || c >= 0x7f && !strconv.IsPrint(c) {
			return false
		}
	}
	return s != ""
}

// parse reads a line. What is left of one that was cut off by a full disk or a
// crash, and what no writer of events wrote, becomes an event that has only Text.
func parse(line string) (found []Event) {
	if whole, ok := parseEvent(line); ok {
		return []Event{whole}
	}
	// Behind half a line the next one may follow, without a newline between.
	if i := strings.LastIndex(line, start); i > 0 {
		if e, ok := parseEvent(line[i:]); ok {
			return []Event{{Text: line[:i]}, e}
		}
	}
	if line == "" {
		return nil
	}
	return []Event{{Text: line}}
}

func parseEvent(line string) (e Event, ok bool) {
	for rest := line; rest != ""; {
		var key, value string
		if key, rest, ok = strings.Cut(rest, "="); !ok || key == "" || strings.ContainsAny(key, ` "`) {
			return e, false
		}
		if value, rest, ok = cutValue(rest); !ok {
			return e, false
		}
		if ok = e.set(key, value); !ok {
			return e, false
		}
	}
	return e, !e.Time.IsZero() && e.What != ""
}

// cutValue takes the value that a line begins with off, and the space behind it.
func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, " ")
		return value, rest, true
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", false
	}
	if value, err = strconv.Unquote(quoted); err != nil {
		return "", "", false
	}
	rest = s[len(quoted):]
	if rest == "" {
		return value, "", true
	}
	rest, ok = strings.CutPrefix(rest, " ")
	return value, rest, ok
}

// set takes in a field. The first ones have a place of their own.
func (e *Event) set(key, value string) bool {
	var err error
	switch {
	case e.Time.IsZero():
		if key != "time" {
			return false
		}
		e.Time, err = time.Parse(time.RFC3339Nano, value)
	case key == "level" && e.What == "":
		e.Level, err = ParseLevel(value)
	case key == "by" && e.What == "":
		e.By = value
	case key == "pid" && e.What == "":
		e.PID, err = strconv.Atoi(value)
	case key == "event" && e.What == "":
		e.What = value
	default:
		e.Fields = append(e.Fields, Field{key, value})
	}
	return err == nil
}
