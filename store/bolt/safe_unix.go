//go:build unix

package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"jobman/store"
)

// nofollow makes open(2) refuse a link.
const nofollow = syscall.O_NOFOLLOW

// release closes the index with bbolt's lock on it. Closing is not enough: the
// mapping that is left keeps the file, and the lock, alive.
func release(file *os.File) {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) // the close that follows is all that is left
	file.Close()
}

// checkSafe refuses a store that somebody else could change, or that leads
// elsewhere. The root itself may be reached by a link.
func checkSafe(root string) error {
	for _, name := range []string{"", "index", "index/jobman.bolt", "index/lock", "index/turn", "data", "data/jobs", "inbox", "bin"} {
		look := os.Lstat
		if name == "" {
			look = os.Stat
		}
		path := filepath.Join(root, name)
		info, err := look(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look at the store: %w", err)
		}
		if err := checkFile(path, info); err != nil {
			return err
		}
	}
	return nil
}

func checkFile(path string, info fs.FileInfo) error {
	owner := info.Sys().(*syscall.Stat_t).Uid //nolint:errcheck // it is one on every unix
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		return fmt.Errorf("%w: %s is a link; put the directory or file itself there", store.ErrUnsafe, path)
	case owner != uint32(os.Geteuid()):
		return fmt.Errorf("%w: %s belongs to user %d, not to user %d; chown it, or use another store with --db",
			store.ErrUnsafe, path, owner, os.Geteuid())
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%w: others may write %s; chmod go-w %[2]s", store.ErrUnsafe, path)
	}
	return nil
}
