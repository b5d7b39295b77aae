//go:build !failpoint

package failpoint

// Use says which store this process serves, and as which verb.
func Use(store, verb string) {}

// Hit is a point at which a test may end this process.
func Hit(point string) {}
