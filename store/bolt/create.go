package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"go.etcd.io/bbolt"

	"jobman/store/tree"
)

// create makes the store's directories and an empty index where they are
// missing. They are durable when it returns.
func (s *Store) create(ctx context.Context) error {
	grown := []string{s.tree.Index(), string(s.tree)} // directories with new names in them
	for dir := string(s.tree); ; {
		parent := filepath.Dir(dir)
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) || parent == dir {
			break
		}
		grown = append(grown, parent)
		dir = parent
	}
	if err := s.tree.Create(); err != nil {
		return fmt.Errorf("create the store: %w", err)
	}
	if err := checkSafe(string(s.tree)); err != nil {
		return err
	}
	unlock, err := s.lock(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	if there, err := s.exists(); there || err != nil {
		return err
	}
	// Made aside, so that half an index is never in its place.
	db, err := newIndex(s.aside())
	if err == nil {
		err = db.Close()
	}
	if err == nil {
		err = os.Rename(s.aside(), s.path())
	}
	if err != nil {
		return fmt.Errorf("create the index: %w", err)
	}
	for _, dir := range grown {
		if err := tree.SyncDir(dir); err != nil {
			return fmt.Errorf("create the store: %w", err)
		}
	}
	return nil
}

func (s *Store) aside() string { return s.path() + ".new" }

// newIndex makes an empty index in a file, instead of what is there.
func newIndex(file string) (*bbolt.DB, error) {
	if err := os.RemoveAll(file); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: boltTimeout})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keySchema, strconv.AppendInt(nil, schema, 10))
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
