package tree

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

// HostID is this machine's id, see machine-id(5); where it has none, as in some
// containers, its host name must do.
func HostID() (string, error) {
	b, err := os.ReadFile("/etc/machine-id")
	id := strings.TrimSpace(string(b))
	if errors.Is(err, fs.ErrNotExist) || err == nil && (id == "" || id == "uninitialized") {
		return os.Hostname()
	}
	return id, err
}
