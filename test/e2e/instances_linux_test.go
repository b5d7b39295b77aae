package e2e

import (
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// instances N: the user can make so many more instances of inotify.
func instances(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: instances N")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var all []int
	for range n {
		var fd int
		if fd, err = unix.InotifyInit1(unix.IN_CLOEXEC); err != nil {
			break
		}
		all = append(all, fd)
	}
	for _, fd := range all {
		ts.Check(unix.Close(fd))
	}
	if err != nil {
		ts.Fatalf("after %d more: %v", len(all), err)
	}
}
