package doctor

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ReadFileSystem returns the kind of file system that a path is on.
func ReadFileSystem(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	return FileSystemKind(string(text), path), err
}

// ReadRoom returns what is free where a path is.
func ReadRoom(path string) (Room, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return Room{}, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return Room{Bytes: st.Bavail * uint64(st.Bsize), Files: st.Ffree, Countless: st.Files == 0}, nil
}

// TryLease takes a write lease on a new file in a directory.
func TryLease(dir string) (err error) {
	f, err := os.CreateTemp(dir, ".doctor.*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
	return err
}

// ReadInotify counts what a user has of inotify.
func ReadInotify(uid int) (i Inotify, err error) {
	number := func(name string) int {
		b, rerr := os.ReadFile("/proc/sys/fs/inotify/" + name)
		n, cerr := strconv.Atoi(string(bytes.TrimSpace(b)))
		err = errors.Join(err, rerr, cerr)
		return n
	}
	i.MaxInstances, i.MaxWatches = number("max_user_instances"), number("max_user_watches")
	if err != nil {
		return i, err
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	for _, dir := range processes {
		var st unix.Stat_t
		if unix.Stat(dir, &st) != nil || int(st.Uid) != uid {
			continue // it is gone, or another user's
		}
		// What can't be looked into is gone, or has more privileges.
		fds, _ := os.ReadDir(filepath.Join(dir, "fd"))
		for _, fd := range fds {
			if to, err := os.Readlink(filepath.Join(dir, "fd", fd.Name())); err != nil || to != "anon_inode:inotify" {
				continue
			}
			i.Instances++
			info, _ := os.ReadFile(filepath.Join(dir, "fdinfo", fd.Name()))
			i.Watches += bytes.Count(info, []byte("inotify wd:"))
		}
	}
	return i, err
}

// cgroups is where the control groups of version 2 are.
const cgroups = "/sys/fs/cgroup"

// ReadControllers returns the controllers of the control group that the units of a
// scope are in, and those of the machine.
func ReadControllers(scope string, uid int) (unified bool, there, all []string) {
	read := func(dir string) []string {
		b, err := os.ReadFile(filepath.Join(cgroups, dir, "cgroup.controllers"))
		unified = unified || err == nil
		return strings.Fields(string(b))
	}
	all = read("")
	if scope != "user" {
		return unified, all, all
	}
	id := strconv.Itoa(uid)
	return unified, read("user.slice/user-" + id + ".slice/user@" + id + ".service"), all
}
