//go:build !linux

package main

import "os"

// hostID is the machine's name.
func hostID() (string, error) { return os.Hostname() }
