package events

import (
	"path/filepath"
	"strconv"
	"testing"
)

func BenchmarkAddToANewFile(b *testing.B) {
	dir := b.TempDir()
	for i := range b.N {
		Log(filepath.Join(dir, strconv.Itoa(i))).Add(New(Info, "exec", "invocation", "225b595ae869d7597c7bf0a05e6b203f"))
	}
}

func BenchmarkAdd(b *testing.B) {
	log := Log(filepath.Join(b.TempDir(), Name))
	for range b.N {
		log.Add(New(Info, "exec", "invocation", "225b595ae869d7597c7bf0a05e6b203f"))
	}
}
