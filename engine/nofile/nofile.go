// Package nofile remembers the limit of open files that this process was
// started with. Package syscall raises the soft limit while it is initialised
// (golang.org/issue/46279), so that getrlimit(2) tells a wrong value from then
// on, and a command would get that.
//
// Go initialises packages in the order of their import paths as soon as all
// that they import is initialised (language specification, "Program
// initialization"). This one imports nothing, for which it pays with three
// lines of assembly, and "jobman/..." comes before "syscall": it sees the limit
// first. A test holds that.
package nofile

// limit is struct rlimit64 of prlimit(2).
type limit struct{ cur, max uint64 }

// Inherited returns RLIMIT_NOFILE, soft and hard, as it was when the process
// began; ok is false on systems where that can't be told.
func Inherited() (soft, hard uint64, ok bool) {
	return inherited.cur, inherited.max, inherited.max != 0
}
