package config

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzFile: no text makes the parser of any format panic, and what is accepted
// prints, as TOML, back to itself.
func FuzzFile(f *testing.F) {
	for i, ext := range extensions {
		if text, err := os.ReadFile(filepath.Join("testdata", "same."+ext)); err == nil {
			f.Add(uint8(i), text)
		}
		for _, text := range []string{"", "[run]\n", "a", "=", "[", "{", "run.group = x", "RUN_GROUP=x", "names: {1: {group: ~}}", "patterns.1.match=a", "[[patterns]]", "run { group = \"\\xff\" }", "\x00"} {
			f.Add(uint8(i), []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, format uint8, text []byte) {
		ext := extensions[int(format)%len(extensions)]
		s := read(t, "x."+ext, string(text))
		for _, p := range s.problems {
			_ = p.Error()
		}
		if s.Err() != nil {
			return
		}
		once := printed(s)
		again := read(t, "x.toml", once)
		if err := again.Err(); err != nil {
			t.Fatalf("%s %q was accepted, and prints as\n%s\nwhich is not: %v", ext, text, once, again.problems)
		}
		if twice := printed(again); twice != once {
			t.Fatalf("%s %q prints as\n%s\nand that as\n%s", ext, text, once, twice)
		}
		s.Each(func(set Setting) { _ = set.Origin() })
	})
}
