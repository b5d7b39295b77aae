package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

func (t Tree) stamp() string { return filepath.Join(string(t), "reconciled") }

// Reconciled returns when the safety net came last; zero where it never did.
func (t Tree) Reconciled() (time.Time, error) {
	info, err := os.Stat(t.stamp())
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// SetReconciled notes when the safety net came.
func (t Tree) SetReconciled(at time.Time) error {
	err := os.Chtimes(t.stamp(), at, at)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(t.stamp(), nil, 0o600)
	}
	return err
}
