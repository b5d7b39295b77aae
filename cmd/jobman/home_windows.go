package main

import "os"

// homeDir is the user's profile directory.
func homeDir() (string, error) { return os.UserHomeDir() }
