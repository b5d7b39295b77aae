package sensors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

type inode struct{ dev, ino uint64 }

func inodeOf(st *unix.Stat_t) inode { return inode{uint64(st.Dev), st.Ino} } //nolint:unconvert // not uint64 everywhere

// errNoLease says that a lease proves nothing about a file.
var errNoLease = errors.New("no lease")

// prove takes write leases, which the kernel grants for what nobody else has
// open. Where they can't be had it looks at all processes.
func prove(ctx context.Context, paths []string) (proof, error) {
	var p proof
	search := map[inode]string{}
	for _, path := range paths {
		if ctx.Err() != nil {
			return p, context.Cause(ctx)
		}
		var st unix.Stat_t
		if err := ignoringEINTR(func() error { return unix.Stat(path, &st) }); gone(err) {
			continue
		} else if err != nil {
			return p, &fs.PathError{Op: "stat", Path: path, Err: err}
		}
		open, err := false, errNoLease
		if st.Mode&unix.S_IFMT == unix.S_IFREG {
			open, err = openByLease(ctx, path, uint64(st.Dev)) //nolint:unconvert // not uint64 everywhere
		}
		switch {
		case gone(err):
			continue
		case errors.Is(err, errNoLease):
			search[inodeOf(&st)] = path
		case err != nil:
			return p, &fs.PathError{Op: "lease", Path: path, Err: err}
		default:
			p.proved("write lease")
		}
		p.there = append(p.there, path)
		if open {
			p.open = append(p.open, path)
		}
	}
	if len(search) == 0 {
		return p, nil
	}
	return p, p.searchProc(ctx, search)
}

// turns has a channel for each device, to be held while a file there is open: two
// checks of one file would take each other for its users. Not one for all, because
// a dead file system never gives it back.
var turns sync.Map

// openByLease reports whether somebody has a regular file open. Another process
// may check it at the same moment, or a child of ours have it until its exec, but
// not for long; so a refusal counts only when it is repeated.
func openByLease(ctx context.Context, path string, dev uint64) (open bool, err error) {
	made, _ := turns.LoadOrStore(dev, make(chan struct{}, 1))
	turn := made.(chan struct{}) //nolint:errcheck // nothing else is stored
	for range 8 {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
		open, err = refusedLease(path)
		<-turn
		if !open || err != nil {
			break
		}
		time.Sleep(rand.N(5 * time.Millisecond))
	}
	return open, err
}

func refusedLease(path string) (bool, error) {
	// Symbolic links are followed: the file is meant. NONBLOCK and NOCTTY are for
	// what may have taken its place since the stat; and NONBLOCK makes an open that
	// would break somebody else's lease fail instead of waiting.
	var fd int
	err := ignoringEINTR(func() (err error) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		return err
	})
	switch {
	case errors.Is(err, unix.EAGAIN):
		return true, nil
	case errors.Is(err, fs.ErrPermission):
		return false, errNoLease
	case err != nil:
		return false, err
	}
	defer unix.Close(fd) //nolint:errcheck // only read
	// Who opens the file now has us sent a signal and waits for the unlock. The
	// usual one, SIGIO, kills; SIGURG is ignored by default and means nothing to Go.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETSIG, int(unix.SIGURG)); err != nil {
		return false, errNoLease
	}
	if _, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_WRLCK); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
		return false, err
	}
	if errors.Is(err, unix.EAGAIN) && !remote(fd) {
		return true, nil
	}
	return false, errNoLease // not ours, or no leases there
}

// remote reports a file system on which a lease is refused also because the server
// has not delegated the file.
func remote(fd int) bool {
	var st unix.Statfs_t
	if ignoringEINTR(func() error { return unix.Fstatfs(fd, &st) }) != nil {
		return true
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.CEPH_SUPER_MAGIC:
		return true
	}
	return false
}

func (p *proof) proved(by string) {
	if !slices.Contains(p.by, by) {
		p.by = append(p.by, by)
	}
}

// searchProc looks for the files among what all processes have open.
func (p *proof) searchProc(ctx context.Context, search map[inode]string) error {
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	unseen := 0
	for _, process := range processes {
		if _, err := strconv.Atoi(process.Name()); err != nil {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		dir := filepath.Join("/proc", process.Name())
		seen, found := openIn(dir, search)
		if !seen && !isKernelThread(dir) {
			unseen++
		}
		for _, in := range found {
			p.open = append(p.open, search[in])
			delete(search, in)
		}
	}
	by := "/proc"
	if unseen > 0 {
		by = fmt.Sprintf("/proc, ignorant of %d processes whose files may not be seen", unseen)
	}
	p.proved(by)
	return nil
}

// openIn returns which of the files a process has open, and whether that could be
// seen. A process that has ended has none.
func openIn(dir string, search map[inode]string) (seen bool, found []inode) {
	fds, err := os.ReadDir(filepath.Join(dir, "fd"))
	if errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	had := map[inode]bool{}
	for _, fd := range fds {
		var st unix.Stat_t
		if unix.Stat(filepath.Join(dir, "fd", fd.Name()), &st) != nil {
			continue // closed meanwhile
		}
		if in := inodeOf(&st); search[in] != "" && !had[in] {
			had[in] = true
			found = append(found, in)
		}
	}
	return true, found
}

// isKernelThread keeps those from being counted that have no files.
func isKernelThread(dir string) bool {
	const pfKthread = 0x200000
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return gone(err) || errors.Is(err, unix.ESRCH)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 7 {
		return false
	}
	flags, err := strconv.ParseUint(fields[6], 10, 64)
	return err == nil && flags&pfKthread != 0
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
