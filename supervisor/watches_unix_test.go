//go:build unix

package supervisor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"jobman/job"
	"jobman/store/tree"
)

const waiter job.ID = "00000000-0000-4000-8000-000000000001"

// sight is what a ticker sees of a directory, without the process.
type sight struct {
	*watches
	t   *testing.T
	dir string
	now time.Time // the holds' clock
}

// newSight waits for paths in a directory. It must notice them by events: what a
// ticker looks at every few seconds it does not look at.
func newSight(t *testing.T, watched ...job.Watch) *sight {
	t.Helper()
	s := &sight{watches: newWatches(tree.Tree(t.TempDir())), t: t, dir: t.TempDir(), now: time.Now()}
	var err error
	if s.inotify, err = fsnotify.NewWatcher(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.inotify.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range watched {
		watched[i].Path = job.Text(filepath.Join(s.dir, string(watched[i].Path)))
	}
	s.want([]*job.Job{{ID: waiter, Armed: job.Armed{Rev: 1, Watches: watched}}})
	return s
}

// steps returns how often the job is stepped until nothing more comes for a while, in
// which nothing else has happened to it.
func (s *sight) steps(least int) (n int) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; {
		s.looked = time.Now().Add(time.Hour)
		s.now = s.now.Add(time.Minute) // nothing is held
		s.settle(s.now)
		n += len(s.due(s.now))
		wait := time.Until(end)
		if n >= least {
			wait = 50 * time.Millisecond
		}
		select {
		case e := <-s.inotify.Events:
			if e.Name != "" {
				s.notice(e)
			}
		case err := <-s.inotify.Errors:
			s.t.Fatal(err)
		case <-time.After(wait):
			if n < least {
				s.t.Fatalf("it was stepped %d times, not %d", n, least)
			}
			return n
		}
	}
}

func (s *sight) path(name string) string { return filepath.Join(s.dir, name) }

func (s *sight) mkdir(names ...string) {
	s.t.Helper()
	for _, name := range names {
		if err := os.MkdirAll(s.path(name), 0o700); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *sight) write(name string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sight) rename(from, to string) {
	s.t.Helper()
	if err := os.Rename(s.path(from), s.path(to)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sight) remove(name string) {
	s.t.Helper()
	if err := os.RemoveAll(s.path(name)); err != nil {
		s.t.Fatal(err)
	}
}

// A directory may be replaced by another one of its name, in any way.
func TestADirectoryThatIsReplaced(t *testing.T) {
	for name, replace := range map[string]func(*sight){
		"removed and made":       func(s *sight) { s.remove("d"); s.mkdir("d") },
		"removed, later made":    func(s *sight) { s.remove("d"); s.steps(0); s.mkdir("d") },
		"renamed and replaced":   func(s *sight) { s.rename("d", "old"); s.rename("new", "d") },
		"renamed, later made":    func(s *sight) { s.rename("d", "old"); s.steps(0); s.mkdir("d") },
		"renamed there and back": func(s *sight) { s.rename("d", "old"); s.rename("old", "d") },
		"a link set elsewhere": func(s *sight) {
			s.remove("d")
			if err := os.Symlink("new", s.path("d")); err != nil {
				s.t.Fatal(err)
			}
		},
	} {
		for kind, path := range map[string]string{job.PathExists: "d/file", job.PathExistsGlob: "d/f*", job.PathChanged: "d"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				s := newSight(t, job.Watch{Kind: kind, Path: job.Text(path)})
				s.mkdir("d", "new")
				s.steps(0)
				replace(s)
				s.steps(0)
				s.write("d/file")
				s.steps(1)
			})
		}
	}
}

// Nobody says that a directory above was renamed: it is noticed within a few seconds.
func TestADirectoryAboveIsReplaced(t *testing.T) {
	s := newSight(t, job.Watch{Kind: job.PathExists, Path: "a/b/file"})
	s.mkdir("a/b")
	s.steps(0)
	s.rename("a", "old")
	s.mkdir("a/b")
	s.write("a/b/file")
	s.look()
	s.steps(1)
}

// A file may have come before its directory was watched, or its event was lost.
func TestWhatWasThereBefore(t *testing.T) {
	s := newSight(t, job.Watch{Kind: job.PathExists, Path: "deep/er/file"})
	s.mkdir("deep/er")
	s.write("deep/er/file")
	s.steps(1)
	s.now = s.now.Add(time.Minute)
	s.lost()
	s.steps(1)
}

// The same directory under two names.
func TestTwoNamesOfADirectory(t *testing.T) {
	s := newSight(t, job.Watch{Kind: job.PathExists, Path: "d/one"}, job.Watch{Kind: job.PathExists, Path: "link/two"})
	s.mkdir("d")
	if err := os.Symlink("d", s.path("link")); err != nil {
		t.Fatal(err)
	}
	s.steps(0)
	for _, name := range []string{"one", "two"} {
		s.write("d/" + name)
		s.steps(1)
	}
}

// Much happens in a directory, and nothing of it matters.
func TestABusyDirectory(t *testing.T) {
	s := newSight(t, job.Watch{Kind: job.PathChanged, Path: "d"}, job.Watch{Kind: job.PathExists, Path: "d/file"})
	s.mkdir("d")
	s.steps(1)
	n := 0
	for range 300 { // 20 ms each: 6 s
		s.write("d/x")
		s.remove("d/x")
		for drained := false; !drained; {
			select {
			case e := <-s.inotify.Events:
				s.notice(e)
			default:
				drained = true
			}
		}
		n += len(s.due(s.now))
		s.now = s.now.Add(20 * time.Millisecond)
	}
	if n > 10 {
		t.Errorf("it was stepped %d times", n)
	}
	// Yet what it waits for is noticed at once.
	for len(s.pending) > 0 {
		s.due(s.now)
		s.now = s.now.Add(holdMost)
	}
	s.write("d/file")
	s.steps(1)
}

// Where a directory can't be watched, it is looked at, and the job's log says so.
func TestWhatCanNotBeWatched(t *testing.T) {
	for _, kind := range []string{job.PathExists, job.PathChanged} {
		path := map[string]job.Text{job.PathExists: "d/file", job.PathChanged: "d"}[kind]
		s := newSight(t, job.Watch{Kind: kind, Path: path})
		s.mkdir("d")
		if err := os.MkdirAll(s.store.Job(waiter), 0o700); err != nil {
			t.Fatal(err)
		}
		inotify := s.inotify
		s.inotify = nil
		look := func() int {
			s.now = s.now.Add(lookEvery)
			s.look()
			s.looked = time.Now()
			s.settle(s.looked)
			return len(s.due(s.now))
		}
		look() // what is armed is looked at in any case
		if n := look(); n != 0 {
			t.Errorf("%s: nothing has happened, and it is stepped %d times", kind, n)
		}
		s.write("d/file")
		if n := look(); n != 1 {
			t.Errorf("%s: it is stepped %d times", kind, n)
		}
		log, err := os.ReadFile(filepath.Join(s.store.Job(waiter), "jobman.log"))
		if err != nil || strings.Count(string(log), "unwatched") != 1 {
			t.Errorf("%s: %q, %v", kind, log, err)
		}
		s.inotify = inotify
	}
}

// The safety net comes along however much happens.
func TestTheNetIsNotStarved(t *testing.T) {
	tick := newTicker("", "", nil)
	tick.net = time.Now().Add(-tickAtMost)
	if tick.plan(nil); !slices.Equal(tick.queue, []string{"net"}) {
		t.Errorf("queued is %q", tick.queue)
	}
}

// Jobs that were triggered at once are one process, what may take its time is alone.
func TestWhatOneProcessDoes(t *testing.T) {
	id := func(c string) string { return "00000000-0000-4000-8000-00000000000" + c }
	tick := newTicker("", "", nil)
	tick.busy[id("2")] = true
	tick.queue = []string{"due", id("1"), id("2"), pollPrefix + id("1"), id("4"), "net", id("5")}
	var got []string
	for {
		batch := tick.take()
		if len(batch) == 0 {
			break
		}
		got = append(got, strings.Join(batch, "+"))
	}
	want := []string{"due", id("1") + "+" + id("4") + "+" + id("5"), pollPrefix + id("1"), "net"}
	if !slices.Equal(got, want) || !slices.Equal(tick.queue, []string{id("2")}) {
		t.Errorf("%q, and %q is left", got, tick.queue)
	}
}
