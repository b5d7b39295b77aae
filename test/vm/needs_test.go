//go:build vm && !(linux && amd64)

package vm

import "testing"

func TestNeeds(t *testing.T) {
	t.Fatal("test-vm needs Debian on amd64")
}
