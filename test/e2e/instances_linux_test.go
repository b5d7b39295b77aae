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
	for i := range n {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		if err != nil {
			ts.Fatalf("instance %d: %v", i+1, err)
		}
		defer unix.Close(fd)
	}
}
