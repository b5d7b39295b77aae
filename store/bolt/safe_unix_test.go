//go:build unix

package bolt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobman/store"
	"jobman/store/storetest"
)

func TestAStoreThatOthersMayWriteIsRefused(t *testing.T) {
	for _, name := range []string{"", "index", "index/jobman.bolt", "index/lock", "index/turn", "data", "data/jobs", "inbox"} {
		for _, bits := range []fs.FileMode{0o020, 0o002, 0o022} {
			s := fresh(t)
			submit(t, s, storetest.Job("name", "group"))
			path := filepath.Join(string(s.tree), name)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, info.Mode().Perm()|bits); err != nil {
				t.Fatal(err)
			}
			_, err = Open(string(s.tree), Options{})
			if !errors.Is(err, store.ErrUnsafe) || !strings.Contains(err.Error(), "chmod go-w "+path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q with %v: %v", name, bits, err)
			}
			if err := os.Chmod(path, info.Mode().Perm()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLinksInAStoreAreRefused(t *testing.T) {
	for _, name := range []string{"index", "index/jobman.bolt", "index/lock", "data", "data/jobs", "inbox"} {
		s := open(t, filepath.Join(t.TempDir(), ".db"))
		submit(t, s, storetest.Job("name", "group"))
		path := filepath.Join(string(s.tree), name)
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		if err := os.Rename(path, elsewhere); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(elsewhere, path); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(string(s.tree), Options{}); !errors.Is(err, store.ErrUnsafe) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A link that comes after Open is not followed either.
func TestALinkForTheIndexIsNotFollowed(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), ".db"))
	j := storetest.Job("name", "group")
	submit(t, s, j)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(s.path(), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, s.path()); err != nil {
		t.Fatal(err)
	}
	for _, o := range operations(t, s, j.ID) {
		if err := o.do(); err == nil {
			t.Errorf("%s followed it", o.name)
		}
	}
}

func TestTheRootItselfMayBeReachedByALink(t *testing.T) {
	s := fresh(t)
	submit(t, s, storetest.Job("name", "group"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(string(s.tree), link); err != nil {
		t.Fatal(err)
	}
	jobs, err := open(t, link).Query(context.Background(), store.Filter{})
	if err != nil || len(jobs) != 1 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}

func TestAnothersStoreIsRefused(t *testing.T) {
	root := "/" // not ours, unless we are root
	if os.Geteuid() == 0 {
		root = filepath.Join(t.TempDir(), ".db")
		if err := os.Mkdir(root, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(root, 65534, 65534); err != nil {
			t.Skip(err)
		}
	}
	if _, err := Open(root, Options{}); !errors.Is(err, store.ErrUnsafe) || !strings.Contains(err.Error(), "belongs to") {
		t.Errorf("the error is %v", err)
	}
}
