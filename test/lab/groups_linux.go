package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// hierarchies are where a systemd manages control groups: alone, or beside version 1.
var hierarchies = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"}

// makeGroups makes control groups of the lab's own. Labs that run at the same time
// would else be in the same ones, and each would tidy up the others'. Their names are
// the same in all hierarchies, as nspawn has it.
func (l *Lab) makeGroups() error {
	name := fmt.Sprintf("jobman-lab-%d-%d", os.Getpid(), time.Now().UnixNano())
	for _, h := range hierarchies {
		if _, err := os.Stat(filepath.Join(h, "cgroup.procs")); err != nil {
			continue // it is none
		}
		if err := removeStale(h); err != nil {
			return fmt.Errorf("remove a killed lab's control groups: %w", err)
		}
		group := filepath.Join(h, name)
		if err := os.Mkdir(group, 0o755); err != nil {
			return fmt.Errorf("make a control group: %w", err)
		}
		l.groups = append(l.groups, group)
	}
	return nil
}

// removeGroups removes the control groups of a lab that has ended, as soon as the
// kernel is done with its processes.
func (l *Lab) removeGroups() error {
	var errs []error
	for _, group := range l.groups {
		errs = append(errs, remove(group))
	}
	return errors.Join(errs...)
}

// removeStale removes the groups in a hierarchy of labs whose process was killed.
func removeStale(hierarchy string) error {
	groups, err := filepath.Glob(filepath.Join(hierarchy, "jobman-lab-*-*"))
	if err != nil {
		return err
	}
	for _, group := range groups {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(group), "jobman-lab-%d-", &pid); err != nil {
			continue
		}
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			if err := remove(group); err != nil && !errors.Is(err, fs.ErrNotExist) { // another lab may do it
				return err
			}
		}
	}
	return nil
}

// remove removes a control group with all below it.
func remove(group string) error {
	var below []string
	err := filepath.WalkDir(group, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			below = append(below, path)
		}
		return err
	})
	slices.Reverse(below)
	for end := time.Now().Add(time.Minute); len(below) > 0 && err == nil; {
		err = os.Remove(below[0])
		switch {
		case err == nil:
			below = below[1:]
		case errors.Is(err, syscall.EBUSY) && time.Now().Before(end):
			time.Sleep(10 * time.Millisecond)
			err = nil
		}
	}
	return err
}
