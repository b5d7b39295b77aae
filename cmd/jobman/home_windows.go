package main

import "os"

// homeDir is the user's profile directory.
func homeDir() (string, error) { return os.UserHomeDir() }

// restrict: what is made in a profile directory is the user's alone.
func restrict() int { return 0 }
