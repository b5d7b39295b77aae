package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"jobman/failpoint"
	"jobman/store"
)

// boltTimeout is for bbolt's own lock, which is free when ours is held, unless
// a program that is not jobman has the file open.
const boltTimeout = 2 * time.Second

// view runs a read transaction. Where there is no index it does nothing.
func (s *Store) view(ctx context.Context, read func(tx) error) error {
	return s.viewWith(ctx, bbolt.Options{ReadOnly: true}, read)
}

func (s *Store) viewWith(ctx context.Context, o bbolt.Options, read func(tx) error) error {
	there, err := s.exists()
	if !there {
		return err
	}
	unlock, err := s.lock(ctx, false)
	if err != nil {
		return err
	}
	defer unlock()
	return s.transact(o, func(t tx) (bool, error) { return false, read(t) })
}

// update runs a write transaction, and mirror once it is committed. Where write
// says that it wrote nothing, nothing is committed or mirrored.
func (s *Store) update(ctx context.Context, write func(tx) (wrote bool, err error), mirror func()) error {
	there, err := s.exists()
	if !there {
		return err
	}
	unlock, err := s.lock(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	wrote := false
	err = s.transact(bbolt.Options{}, func(t tx) (_ bool, err error) {
		wrote, err = write(t)
		return wrote, err
	})
	if wrote && err == nil {
		mirror()
	}
	return err
}

// transact opens the index for one transaction, which is committed if do says
// so, and closes it. bbolt trusts what it reads: in a damaged file it panics,
// or touches memory that is not there. Both become errors here. What is open
// then is abandoned, because bbolt can't be trusted to roll back either.
func (s *Store) transact(o bbolt.Options, do func(tx) (commit bool, err error)) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var file *os.File
	finished := false
	defer func() {
		if finished {
			return
		}
		cause := recover()
		if file != nil {
			release(file)
		}
		if caller, ok := cause.(callersPanic); ok {
			panic(caller.cause)
		}
		if cause != nil {
			line, _, _ := strings.Cut(fmt.Sprint(cause), "\n")
			err = s.damaged("%s", line)
		}
	}()

	o.Timeout, o.NoStatistics = boltTimeout, true
	o.OpenFile = func(path string, flag int, mode os.FileMode) (_ *os.File, err error) {
		file, err = openIndex(path, flag, mode)
		return file, err
	}
	db, err := bbolt.Open(s.path(), 0o600, &o)
	if err != nil {
		finished = true
		return s.openProblem(err)
	}
	err = s.transaction(db, file, do)
	finished = true
	if cerr := db.Close(); cerr != nil {
		s.log(fmt.Errorf("close the index: %w", cerr))
	}
	return err
}

// errEmpty stops bbolt from making an empty index of a file that was cut.
var errEmpty = errors.New("it is empty")

func openIndex(path string, flag int, mode os.FileMode) (*os.File, error) {
	file, err := os.OpenFile(path, flag&^os.O_CREATE|nofollow, mode)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size() == 0 {
		err = errEmpty
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// openProblem tells damage from a file that can't be opened or mapped.
func (s *Store) openProblem(err error) error {
	var path *fs.PathError
	var errno syscall.Errno
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return fmt.Errorf("the index %s is held open by a program that is not jobman", s.path())
	case errors.As(err, &path), errors.As(err, &errno):
		return fmt.Errorf("open the index: %w", err)
	}
	return s.damaged("%v", err)
}

func (s *Store) transaction(db *bbolt.DB, file *os.File, do func(tx) (bool, error)) error {
	b, err := db.Begin(!db.IsReadOnly())
	if err != nil {
		return err
	}
	commit := false
	migrated, err := s.checkIndex(b, file)
	if err == nil {
		commit, err = do(tx{Tx: b, store: s})
	}
	if err == nil && (commit || migrated) {
		failpoint.Hit("commit")
		if err = b.Commit(); err == nil {
			failpoint.Hit("committed")
			return nil
		}
		err = fmt.Errorf("write the index: %w", err)
	}
	_ = b.Rollback() // says no more than that a failed commit did it already
	return err
}

// checkIndex is what every transaction makes sure of. It tells whether it has brought
// the index up to date.
func (s *Store) checkIndex(b *bbolt.Tx, file *os.File) (migrated bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() < b.Size() {
		return false, s.damaged("%d of its %d bytes are there", info.Size(), b.Size())
	}
	meta := b.Bucket(bucketMeta)
	if meta == nil {
		return false, s.damaged("it is no index of jobman's")
	}
	version, err := strconv.Atoi(string(meta.Get(keySchema)))
	switch {
	case err != nil || version < 1:
		return false, s.damaged("its schema is unreadable")
	case version > schema:
		return false, fmt.Errorf("%w: %s has schema %d, this one knows %d; upgrade jobman", store.ErrSchema, s.path(), version, schema)
	}
	there := buckets
	if version < schema {
		there = buckets[:len(buckets)-added[version]]
	}
	for _, name := range there {
		if b.Bucket(name) == nil {
			return false, s.damaged("it has no %s", name)
		}
	}
	if version < schema && b.Writable() {
		return true, tx{Tx: b, store: s}.migrate(version)
	}
	return false, nil
}

// callersPanic carries a panic of the caller's own code past the recovery from
// bbolt's.
type callersPanic struct{ cause any }

func protect() {
	if cause := recover(); cause != nil {
		panic(callersPanic{cause})
	}
}
