// Package failpoint lets tests end jobman, as kill -9 would, at a point of its
// code. Built without the tag failpoint it does nothing and costs nothing.
//
// With it, [Hit] looks for the file failpoints/VERB:POINT in the store; where it
// is, it is removed, and the process killed. So each such file ends one process.
// A file, not a variable: what units and shims execute inherits no environment.
package failpoint
