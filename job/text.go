package job

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Text is a string of arbitrary bytes, such as an argument or a path. In JSON
// it is a string where it is UTF-8, else {"base64": "..."}, so that every byte
// arrives.
type Text string

type base64Text struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON implements json.Marshaler.
func (t Text) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // && in a command stays readable
	if utf8.ValidString(string(t)) {
		err := e.Encode(string(t))
		return b.Bytes(), err
	}
	err := e.Encode(base64Text{[]byte(t)})
	return b.Bytes(), err
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var raw base64Text
		if err := json.Unmarshal(b, &raw); err != nil {
			return fmt.Errorf("read base64 text: %w", err)
		}
		*t = Text(raw.Base64)
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

// Texts converts plain strings.
func Texts(ss []string) []Text {
	out := make([]Text, len(ss))
	for i, s := range ss {
		out[i] = Text(s)
	}
	return out
}

// Strings converts back.
func Strings(ts []Text) []string {
	out := make([]string, len(ts))
	for i, t := range ts {
		out[i] = string(t)
	}
	return out
}

// Distance is how many letters must be added, dropped or replaced to make one word
// of another.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := i
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
