package config

import (
	"slices"
	"testing"
)

func FuzzList(f *testing.F) {
	for _, s := range []string{"", "a", "a,b", `a\,b`, `a\\,b`, ",", "a,,b", `\`, `a\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list := SplitList(text)
		joined := JoinList(list)
		if again := SplitList(joined); !slices.Equal(again, list) {
			t.Errorf("%q is %q, which is written %q, which is %q", text, list, joined, again)
		}
	})
}
