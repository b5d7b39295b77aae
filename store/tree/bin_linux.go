package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Executable returns the path of the jobman that units execute: the program that
// this one carries, if it does, or else a copy of this one, kept in the
// store, so that replacing or deleting jobman does not touch a job that is under
// way. Units name it for as long as a run lives: its pump may be started at any
// time, and its stop-post at its end.
//
// A copy is made once per version. Where none can be executed (the store is
// mounted noexec; SELinux lets no service execute what lies in a home
// directory) or made (a full disk), it is this program's own path.
func (t Tree) Executable(program func() (io.Reader, error)) (string, error) {
	name, from, err := t.program()
	if err != nil || from == nil {
		return name, err
	}
	defer from.Close()
	if _, err := os.Lstat(name); err == nil {
		return name, nil
	}
	var copied io.Reader = from
	if program != nil {
		if copied, err = program(); err != nil {
			return "", fmt.Errorf("unpack what units execute: %w", err)
		}
	}
	if copyProgram(copied, name) != nil {
		return os.Executable()
	}
	return name, nil
}

// program returns where the copy of this program is, or would be, and this
// program itself, which is nil where the copy is what is executed, or there can't
// be one.
func (t Tree) program() (name string, self *os.File, err error) {
	path, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	bin := filepath.Join(string(t), "bin")
	if sameFile(filepath.Dir(path), bin) {
		// By the store's own path, which may lead through a link: the names of
		// units are made from it.
		return filepath.Join(bin, filepath.Base(path)), nil, nil
	}
	if !mayExecute(string(t)) {
		return path, nil, nil
	}
	// Not by its path: it may have been replaced since it was started.
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		return path, nil, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(from.Fd()), &st); err != nil {
		return path, nil, from.Close()
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d %d.%d %d.%d", st.Dev, st.Ino, st.Size,
		st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec))
	return filepath.Join(bin, "jobman-"+hex.EncodeToString(sum[:6])), from, nil
}

// Helper returns the path of a program that helps this one, "net", and puts it
// into the store if it is not there and this program carries it. "": there is none.
func (t Tree) Helper(name string, program func() (io.Reader, error)) (string, error) {
	base, self, err := t.program()
	if err != nil {
		return "", err
	}
	if self != nil {
		defer self.Close()
	}
	path := base + "-" + name
	if filepath.Dir(path) != filepath.Join(string(t), "bin") {
		path = filepath.Join(string(t), "bin", filepath.Base(path))
	}
	if _, err := os.Lstat(path); err == nil {
		return path, nil
	}
	if program == nil {
		return "", nil
	}
	from, err := program()
	if err == nil {
		err = copyProgram(from, path)
	}
	if err != nil {
		return "", fmt.Errorf("unpack jobman-%s: %w", name, err)
	}
	return path, nil
}

func sameFile(a, b string) bool {
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}

func mayExecute(dir string) bool {
	var fs unix.Statfs_t
	err := unix.Statfs(dir, &fs)
	for errors.Is(err, unix.ENOENT) && dir != "/" { // it is not made yet
		dir = filepath.Dir(dir)
		err = unix.Statfs(dir, &fs)
	}
	if err != nil || fs.Flags&unix.ST_NOEXEC != 0 {
		return false
	}
	enforce, err := os.ReadFile("/sys/fs/selinux/enforce")
	return err != nil || strings.TrimSpace(string(enforce)) != "1"
}

func copyProgram(from io.Reader, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	to, err := os.CreateTemp(filepath.Dir(name), ".jobman-*")
	if err != nil {
		return err
	}
	defer os.Remove(to.Name()) // gone by then if all went well
	_, err = io.Copy(to, from)
	if err == nil {
		err = to.Chmod(0o700)
	}
	// A torn copy after a power cut would be executed; this is once a version.
	if err == nil {
		err = to.Sync()
	}
	if cerr := to.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(to.Name(), name)
}
