//go:build !linux

package tree

import "os"

// HostID is this machine's name.
func HostID() (string, error) { return os.Hostname() }
