//go:build unix

package supervisor

import (
	"os"
	ossignal "os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// detach frees the shim of what it inherited, beside what Start has given it, and
// returns the pipe on which it says that it is ready.
//
// Descriptors that the caller of jobman left open are closed: a shell's lock, or
// the pipe of an ssh session, would else last as long as the run. What this
// program itself opened is close-on-exec, which is how it is told from them.
func detach() (ready *os.File) {
	syscall.CloseOnExec(readyFD) // the command must not hold it open
	syscall.Umask(0o077)
	entries, err := os.ReadDir("/dev/fd") // proc(5), fdescfs(5)
	if err != nil {
		entries = nil // they stay open, as under nohup
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= readyFD {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
	return os.NewFile(readyFD, "ready")
}

// listen makes this process deaf to what ends a program: neither a terminal that
// closes nor its own job's stop signal ends a shim. The signals are caught, not
// ignored, since what is ignored stays so in the command. Only where the system goes
// down is a SIGTERM heeded, at once: what was under way is found after the boot.
func listen() (pokes, children <-chan os.Signal) {
	ossignal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT,
		syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGALRM, syscall.SIGUSR2)
	terms := make(chan os.Signal, 1)
	ossignal.Notify(terms, syscall.SIGTERM)
	go func() {
		for range terms {
			if shuttingDown() {
				os.Exit(0)
			}
		}
	}()
	p, c := make(chan os.Signal, 1), make(chan os.Signal, 1)
	ossignal.Notify(p, syscall.SIGUSR1)
	ossignal.Notify(c, syscall.SIGCHLD)
	return p, c
}
