package dbusctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"jobman/job"
	"jobman/units"
)

// Members returns the processes in a control group and those below it, but one.
func Members(group string, but int) (pids []int, err error) {
	err = filepath.WalkDir(group, func(dir string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err != nil || !d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
			return nil
		}
		for field := range strings.FieldsSeq(string(b)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 0 && pid != but {
				pids = append(pids, pid)
			}
		}
		return err
	})
	return pids, err
}

// StopBegan tells since when a run has been stopping; zero: it isn't.
func (s *Systemd) StopBegan(ctx context.Context, ref job.Ref) (time.Time, error) {
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return time.Time{}, err
	}
	var at uint64
	if err := c.call(ctx, unitPath(units.RunName(ref)), propGet, unitIface, "ActiveExitTimestamp").Store(&at); err != nil || at == 0 {
		return time.Time{}, err
	}
	return time.UnixMicro(int64(at)).UTC(), nil
}

// killRest kills what is left of a run whose stop-post waits for that.
func (c *conn) killRest(ctx context.Context, name string) error {
	path := unitPath(name)
	group := c.call(ctx, path, propGet, serviceIface, "ControlGroup")
	control := c.call(ctx, path, propGet, serviceIface, "ControlPID")
	var dir string
	var post uint32
	if err := group.Store(&dir); err != nil {
		return fmt.Errorf("ask for the control group of %s: %w", name, err)
	}
	if err := control.Store(&post); err != nil {
		return fmt.Errorf("ask for the stop-post of %s: %w", name, err)
	}
	if dir == "" || post == 0 {
		return nil // it is over
	}
	left, err := Members(filepath.Join("/sys/fs/cgroup", dir), int(post))
	for _, pid := range left {
		if kerr := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(kerr, syscall.ESRCH) {
			err = errors.Join(err, kerr)
		}
	}
	return err
}
