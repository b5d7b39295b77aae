package bolt

import "testing"

func open(t testing.TB, root string) *Store {
	t.Helper()
	s, err := Open(root, Options{Log: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
