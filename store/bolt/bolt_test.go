package bolt

import (
	"path/filepath"
	"testing"

	"jobman/store"
	"jobman/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "parent", ".db")) })
}

func open(t testing.TB, root string) *Store {
	t.Helper()
	s, err := Open(root, Options{Log: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
