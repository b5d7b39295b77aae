package bolt

import "os"

// nofollow: Windows lets no ordinary user make links.
const nofollow = 0

// release closes the index, and with it bbolt's lock.
func release(file *os.File) { file.Close() }

// checkSafe: a user's profile is their own by its access list.
func checkSafe(string) error { return nil }
