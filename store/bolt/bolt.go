// Package bolt keeps jobs in one bbolt file, the index, and mirrors them in
// plain files for people, scripts and a rebuild (package tree). The index is
// the truth and every query is answered from it:
//
//	index/jobman.bolt
//	├─ meta       "schema"          -> "3"
//	├─ jobs       <id>              -> the job, JSON without its runs
//	│             <id> '/' <count>  -> a run, JSON; count is 4 bytes, so the
//	│                                  last runs are a cursor's walk away, mostly
//	│                                  on the page that holds their job
//	├─ env        <id>              -> the environment, until the job is done
//	├─ by_time           <place>    -> <entry>
//	├─ by_name    <hash> <place>    -> <entry>
//	├─ by_group   <hash> <place>    -> <entry>
//	├─ by_due     due at (8 bytes), id -> "": of active jobs of which something is
//	│                                  due at a time
//	├─ by_output  ended at (8 bytes), id, count (4 bytes) -> bytes: completed runs
//	│                                  that have output; the total is in meta, "output"
//	├─ by_end     ended at (8 bytes), id -> "": completed jobs whose output the
//	│                                  reaper has left; their number is in meta, "ended"
//	├─ awaited    <id> '/' <id>     -> "": the second, which is active, waits for the first
//	├─ outbox     <id> '/' <count> <event id> -> a delivery, JSON (outbox.go)
//	├─ by_try     next try at (8 bytes), <key> -> "": pending ones, by the key in outbox
//	└─ trash      <id>              -> "": deleted, its files may be left
//	              <id> '/' <count>  -> "": reaped, the run's output may be left
//
//	place = 'a' (active) or 'd' (done), submitted at (8 bytes), id:
//	        all that is active lies together, and what is done by age
//	hash  = the first 8 bytes of the SHA-256 of the name or group: a name may be
//	        of 2 MB, a key of 32 KB
//	entry = what filters ask for: result, group, name (entry.go)
//
// So `list` reads tens of pages however many jobs there are, and decodes the
// jobs that it returns.
//
// No process keeps the index open: each transaction waits for its turn (lock.go),
// opens the file, and closes it (tx.go). A write is one bbolt commit, and the
// mirror is written after it, before the next writer gets its turn, so that a
// state file never falls back behind the index for longer than that. A mirror
// that can't be written fails nothing: whoever needs its files writes them again.
//
// Nothing is created before the first Submit; until then the store is empty.
package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"jobman/store"
	"jobman/store/tree"
)

// schema is the version of the bucket tree and of what the JSON in it means. A
// jobman refuses an index with a greater one, and brings a lesser one up to date
// with its first write (migrate.go).
const schema = 3

// Options of a store.
type Options struct {
	// Log gets what did not fail a call: files of the mirror that could not be
	// written or removed. Default: nowhere.
	Log func(error)
}

// Store is a store.Store. It holds nothing open.
type Store struct {
	tree tree.Tree
	log  func(error)
	wait time.Duration // the longest wait for a turn, beside the context's own
}

// Open returns the store whose directory is root, an absolute path, which need
// not exist. It returns store.ErrUnsafe, with the remedy, for a store that
// others may write.
func Open(root string, o Options) (*Store, error) {
	if !filepath.IsAbs(root) {
		return nil, fmt.Errorf("the store's path %q is not absolute", root)
	}
	if err := checkSafe(root); err != nil {
		return nil, err
	}
	s := &Store{tree: tree.Tree(root), log: o.Log, wait: 30 * time.Second}
	if s.log == nil {
		s.log = func(error) {}
	}
	return s, nil
}

func (s *Store) path() string { return filepath.Join(s.tree.Index(), "jobman.bolt") }

// exists tells whether there is an index. Where there is none but there are
// jobs, it was lost, and the error says so: to go on without it would be to
// forget them.
func (s *Store) exists() (bool, error) {
	_, err := os.Lstat(s.path())
	if !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	if !s.hasFiles() {
		return false, nil
	}
	if _, err := os.Lstat(s.path()); err == nil {
		return true, nil // made meanwhile, by whoever made the files
	}
	return false, s.damaged("it is missing, but there are jobs")
}

// hasFiles tells whether there are files of any job.
func (s *Store) hasFiles() bool {
	root := filepath.Join(string(s.tree), "data", "jobs")
	shards, _ := os.ReadDir(root)
	for _, shard := range shards {
		if jobs, _ := os.ReadDir(filepath.Join(root, shard.Name())); len(jobs) > 0 {
			return true
		}
	}
	return false
}

// damaged is the error of an index that can't be used.
func (s *Store) damaged(format string, args ...any) error {
	return damagedError(fmt.Sprintf("the index %s is damaged: %s; rebuild it with jobman doctor --rebuild", s.path(), fmt.Sprintf(format, args...)))
}

// damagedError is a store.ErrDamaged that says what, and the remedy.
type damagedError string

func (e damagedError) Error() string { return string(e) }

func (damagedError) Is(target error) bool { return target == store.ErrDamaged }
