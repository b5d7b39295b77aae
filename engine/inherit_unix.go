//go:build unix

package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"jobman/engine/nofile"
	"jobman/job"
)

// Inherit notes in a spec what a command inherits from this process: umask(2),
// nice value and resource limits, as with nohup(1). The umask is given, since
// this process has set its own by then.
func Inherit(s *job.Spec, umask int) error {
	s.Umask = job.Umask(umask)
	nice, err := niceValue()
	if err != nil {
		return fmt.Errorf("read the nice value: %w", err)
	}
	s.Nice = nice
	s.Limits = map[string]job.Limit{}
	for name, resource := range resources {
		var l syscall.Rlimit
		if err := syscall.Getrlimit(resource, &l); err != nil {
			return fmt.Errorf("read the limit %s: %w", name, err)
		}
		s.Limits[name] = job.Limit{Soft: fromRlim(l.Cur), Hard: fromRlim(l.Max)}
	}
	if soft, hard, ok := nofile.Inherited(); ok {
		s.Limits["nofile"] = job.Limit{Soft: soft, Hard: hard}
	}
	return nil
}

// bestow gives this process, which is about to become the command, what
// Inherit noted. What isn't allowed is carried as far as it is: a hard limit
// above our own is cut to that, a nice value below what we may have is left.
// The caller must have locked its thread: the nice value is that of a thread.
func bestow(s *job.Spec) error {
	unix.Umask(int(s.Umask))
	nice, err := niceValue()
	if err != nil {
		return fmt.Errorf("read the nice value: %w", err)
	}
	if nice != s.Nice {
		err := unix.Setpriority(unix.PRIO_PROCESS, 0, s.Nice)
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("set the nice value: %w", err)
		}
	}
	for name, limit := range s.Limits {
		resource, known := resources[name]
		if !known {
			continue // submitted on another system
		}
		if err := setLimit(resource, limit); err != nil {
			return fmt.Errorf("set the limit %s: %w", name, err)
		}
	}
	return nil
}

// setLimit goes through package syscall, which else would put back, when it
// executes the command, the limit of open files that it raised.
func setLimit(resource int, limit job.Limit) error {
	want := syscall.Rlimit{Cur: toRlim(limit.Soft), Max: toRlim(limit.Hard)}
	err := syscall.Setrlimit(resource, &want)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	var own syscall.Rlimit
	if err := syscall.Getrlimit(resource, &own); err != nil {
		return err
	}
	want.Max = min(want.Max, own.Max)
	want.Cur = min(want.Cur, want.Max)
	return syscall.Setrlimit(resource, &want)
}

// Environ returns the environment of this process, byte for byte:
// NUL-terminated strings.
func Environ() ([]byte, error) {
	if runtime.GOOS == "linux" {
		// os.Environ drops duplicates and empty strings.
		return os.ReadFile("/proc/self/environ")
	}
	var b []byte
	for _, s := range os.Environ() {
		b = append(append(b, s...), 0)
	}
	return b, nil
}
