package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"jobman/job"
	"jobman/store"
	"jobman/store/storetest"
)

// onSmallDisk runs a child that mounts a disk of its own on the store's parent,
// in a mount namespace that ends with it.
func onSmallDisk(t *testing.T, name string) {
	t.Parallel()
	cmd := child(t, name, filepath.Join(t.TempDir(), ".db"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if uid := os.Geteuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	cmd.Stderr = nil
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EINVAL):
		t.Skipf("no mount namespace here: %v", err)
	case errors.As(err, &exit) && strings.Contains(string(exit.Stderr), "mount:"):
		t.Skipf("nothing can be mounted here: %s", exit.Stderr)
	case errors.As(err, &exit):
		t.Errorf("%v\n%s", err, exit.Stderr)
	case err != nil:
		t.Error(err)
	}
	t.Logf("%s", out)
}

func TestAFullDiskLeavesTheIndexGood(t *testing.T) { onSmallDisk(t, "full") }

func TestAReadOnlyStoreCanBeRead(t *testing.T) { onSmallDisk(t, "ro") }

func parent(s *Store) string { return filepath.Dir(string(s.tree)) }

func remount(s *Store, flags uintptr) error {
	return unix.Mount("", parent(s), "", unix.MS_REMOUNT|flags, "")
}

func mountSmall(s *Store, size string) error {
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err == nil {
		err = unix.Mount("none", parent(s), "tmpfs", 0, "mode=700,size="+size)
	}
	if err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	return nil
}

// onFullDisk leaves ever less of a disk and does what there is to do, so that
// it is full at every write there is.
func onFullDisk(s *Store) error {
	if err := mountSmall(s, "4m"); err != nil {
		return err
	}
	ctx := context.Background()
	var there []job.ID
	refused := 0
	try := func(what string, err error) error {
		if err == nil {
			return nil
		}
		refused++
		if !strings.Contains(err.Error(), "no space left on device") || strings.Contains(err.Error(), "\n") {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	for pages := 60; pages >= 0; pages-- {
		if err := leave(s, pages); err != nil {
			return err
		}
		j := storetest.Job("name", "group")
		err := s.Submit(ctx, j, make([]byte, 10_000), false)
		if err == nil {
			there = append(there, j.ID)
		}
		if err := try("Submit", err); err != nil {
			return err
		}
		if err := try("Update", s.Update(ctx, there, func(j *job.Job) error { j.Message += "more, and more"; return nil })); err != nil {
			return err
		}
		if pages%7 == 0 && len(there) > 0 {
			err := s.Update(ctx, there[:1], complete)
			if err == nil {
				var deleted []job.ID
				deleted, err = s.Delete(ctx, there[:1])
				there = there[len(deleted):]
			}
			if err := try("Delete", err); err != nil {
				return err
			}
		}
		if err := holds(s, there); err != nil {
			return fmt.Errorf("with %d pages left: %w", pages, err)
		}
	}
	if refused == 0 {
		return errors.New("the disk was never full")
	}
	fmt.Printf("%d calls were refused\n", refused)
	if err := os.Remove(ballast(s)); err != nil {
		return err
	}
	return s.Submit(ctx, storetest.Job("name", "group"), nil, false)
}

func ballast(s *Store) string { return filepath.Join(parent(s), "ballast") }

// leave fills the disk but for some pages.
func leave(s *Store, pages int) error {
	if err := os.RemoveAll(ballast(s)); err != nil {
		return err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(parent(s), &fs); err != nil {
		return err
	}
	size := (int64(fs.Bfree) - int64(pages)) * int64(fs.Bsize) //nolint:unconvert // an int32 on some
	return os.WriteFile(ballast(s), make([]byte, max(0, size)), 0o600)
}

// holds tells what is wrong with a store that should have these jobs.
func holds(s *Store, want []job.ID) error {
	if err := s.Check(context.Background()); err != nil {
		return err
	}
	jobs, err := s.Query(context.Background(), store.Filter{})
	if err != nil {
		return err
	}
	got := make([]job.ID, len(jobs))
	for i, j := range jobs {
		got[len(jobs)-1-i] = j.ID
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("%d jobs, want %d", len(got), len(want))
	}
	return nil
}

func onReadOnlyDisk(s *Store) error {
	if err := mountSmall(s, "4m"); err != nil {
		return err
	}
	ctx := context.Background()
	j := storetest.Job("name", "group")
	if err := s.Submit(ctx, j, nil, false); err != nil {
		return err
	}
	for _, locks := range []string{"with", "without"} {
		if err := remount(s, unix.MS_RDONLY); err != nil {
			return fmt.Errorf("mount: %w", err)
		}
		if err := holds(s, []job.ID{j.ID}); err != nil {
			return fmt.Errorf("%s lock files: %w", locks, err)
		}
		err := s.Submit(ctx, storetest.Job("name", "group"), nil, false)
		if err == nil || !strings.Contains(err.Error(), "read-only") {
			return fmt.Errorf("Submit %s lock files: %w", locks, err)
		}
		if err := remount(s, 0); err != nil {
			return fmt.Errorf("mount: %w", err)
		}
		for _, name := range []string{"turn", "lock"} {
			if err := os.RemoveAll(s.lockFile(name).Path()); err != nil {
				return err
			}
		}
	}
	return nil
}
