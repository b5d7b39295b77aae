package supervisor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"jobman/events"
	"jobman/job"
	"jobman/store/tree"
)

// watches notices that a path has come, or changed, that a job waits for. Watched are
// the directories of these paths, or the nearest above that is there, all by one
// instance of inotify.
type watches struct {
	store   tree.Tree
	inotify *fsnotify.Watcher // nil: all is looked at every few seconds
	jobs    map[job.ID]*awaiting
	dirs    map[string]*watchedDir // by their names in the jobs' paths
	names   map[string][]string    // of a directory without symbolic links, as it is watched
	stale   bool                   // what is to be watched may be others
	looked  time.Time              // when the directories were compared with what is watched
	pending map[holdKey]bool       // jobs to be stepped
	told    map[job.ID]bool        // whose jobman.log says that paths are looked at
}

// awaiting is a job that waits for paths.
type awaiting struct {
	rev     int
	watches []job.Watch
	fresh   bool   // something of it may have been missed
	polled  bool   // some of it can't be watched
	seen    string // what that was like at the last look
	holds   [2]hold
}

// watchedDir is a directory.
type watchedDir struct {
	real     string
	info     os.FileInfo // of what is watched
	err      error       // why it can't be
	concerns []concern
}

// concern is what a job waits for in a directory.
type concern struct {
	id job.ID
	w  job.Watch
}

// lookEvery is how often it is made sure that the directories are still the same:
// that one above them was renamed, or something mounted, nobody says. As often what
// can't be watched is looked at.
const lookEvery = 3 * time.Second

func newWatches(store tree.Tree) *watches {
	return &watches{
		store: store, jobs: map[job.ID]*awaiting{}, dirs: map[string]*watchedDir{}, names: map[string][]string{},
		pending: map[holdKey]bool{}, told: map[job.ID]bool{}, looked: time.Now(),
	}
}

// want takes in what jobs wait for. What was armed anew is looked at: it may have
// changed before it was watched.
func (w *watches) want(jobs []*job.Job) {
	wanted := make(map[job.ID]bool, len(jobs))
	for _, j := range jobs {
		if len(j.Armed.Watches) == 0 {
			continue
		}
		wanted[j.ID] = true
		if a := w.jobs[j.ID]; a == nil || a.rev != j.Armed.Rev {
			w.jobs[j.ID] = &awaiting{rev: j.Armed.Rev, watches: j.Armed.Watches, fresh: true}
			w.stale = true
		}
	}
	for id := range w.jobs {
		if !wanted[id] {
			delete(w.jobs, id)
			delete(w.told, id)
			w.stale = true
		}
	}
}

// lost: events were.
func (w *watches) lost() {
	for _, a := range w.jobs {
		a.fresh = true
	}
	w.stale = true
}

// maxPasses bounds how often in a row it is looked for what is to be watched.
const maxPasses = 10

// settle watches what is to be watched, and returns how long nothing else is to be
// done.
func (w *watches) settle(now time.Time) time.Duration {
	if now.Sub(w.looked) >= lookEvery {
		w.looked = now
		w.look()
	}
	if w.stale {
		w.stale = false
		// What came between the look for the nearest directory and its being watched
		// is seen by another pass, in which nothing is new.
		for range maxPasses {
			if !w.pass() {
				break
			}
		}
		for id, a := range w.jobs {
			if a.fresh {
				w.examine(id, a, false)
			}
		}
	}
	pause := tickAtMost
	if len(w.dirs) > 0 {
		pause = max(0, lookEvery-now.Sub(w.looked))
	}
	for key := range w.pending {
		if a := w.jobs[key.id]; a != nil {
			pause = min(pause, max(0, a.holds[key.kind].until.Sub(now)))
		}
	}
	return pause
}

// look compares what is watched with what is there, and looks at what can't be
// watched.
func (w *watches) look() {
	for name, d := range w.dirs {
		info, err := os.Stat(name)
		if d.err != nil || err != nil || !os.SameFile(info, d.info) {
			w.drop(name)
			w.stale = true
		}
	}
	for id, a := range w.jobs {
		if a.polled {
			w.examine(id, a, true)
		}
	}
}

// pass watches the directories that are to be watched, and no others. It returns
// whether some of them were not watched before.
func (w *watches) pass() (more bool) {
	nearest := map[string]string{}
	wanted := map[string][]concern{}
	add := func(path string, c concern) {
		dir, known := nearest[path]
		if !known {
			dir = existing(path)
			nearest[path] = dir
		}
		wanted[dir] = append(wanted[dir], c)
	}
	for id, a := range w.jobs {
		for _, one := range a.watches {
			path := string(one.Path)
			add(filepath.Dir(path), concern{id, one})
			if one.Kind == job.PathChanged {
				add(path, concern{id, one})
			}
		}
	}
	for name := range w.dirs {
		if wanted[name] == nil {
			w.drop(name)
		}
	}
	for _, a := range w.jobs {
		a.polled = false
	}
	for name, concerns := range wanted {
		d := w.dirs[name]
		if d == nil {
			if d = w.watch(name); d == nil {
				more = true // it went just now
				continue
			}
			more = more || d.err == nil
			for _, c := range concerns {
				w.jobs[c.id].fresh = w.jobs[c.id].fresh || d.err == nil
			}
		}
		d.concerns = concerns
		if d.err != nil {
			w.tell(name, d)
		}
	}
	return more
}

// watch watches a directory; nil: it is not there any more.
func (w *watches) watch(name string) *watchedDir {
	real, err := filepath.EvalSymlinks(name)
	var before, info os.FileInfo
	if err == nil {
		before, err = os.Stat(real)
	}
	if err == nil && w.inotify == nil {
		err = errors.New("no instance of inotify is left")
	} else if err == nil {
		err = w.inotify.Add(real)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil
	case err != nil:
		d := &watchedDir{err: err}
		w.dirs[name] = d
		return d
	}
	w.names[real] = append(w.names[real], name)
	d := &watchedDir{real: real, info: before}
	w.dirs[name] = d
	if info, err = os.Stat(name); err != nil || !os.SameFile(info, before) {
		w.drop(name)
		return nil
	}
	return d
}

// drop watches a directory no longer.
func (w *watches) drop(name string) {
	d := w.dirs[name]
	delete(w.dirs, name)
	if d.err != nil {
		return
	}
	w.names[d.real] = slices.DeleteFunc(w.names[d.real], func(n string) bool { return n == name })
	if len(w.names[d.real]) == 0 {
		delete(w.names, d.real)
		_ = w.inotify.Remove(d.real) // it may be gone
	}
}

// tell says in the jobman.log of jobs that what they wait for can't be watched.
func (w *watches) tell(name string, d *watchedDir) {
	for _, c := range d.concerns {
		w.jobs[c.id].polled = true
		if w.told[c.id] {
			continue
		}
		w.told[c.id] = true
		w.store.JobLog(c.id).Add(events.New(events.Warn, "unwatched", "path", name, "looked-at-every", job.Duration(lookEvery), "error", d.err))
	}
}

// examine has a job stepped for which something may have been missed; of one that is
// polled, if anything is unlike at the last look.
func (w *watches) examine(id job.ID, a *awaiting, polled bool) {
	a.fresh = false
	was := a.seen
	var seen strings.Builder
	edges, met := false, false
	for _, one := range a.watches {
		path := string(one.Path)
		if one.Kind == job.PathChanged {
			edges = true
			if info, err := os.Stat(path); err == nil {
				fmt.Fprintln(&seen, info.ModTime().UnixNano(), info.Size())
			}
			continue
		}
		is := there(path)
		met = met || is
		fmt.Fprintln(&seen, is)
	}
	a.seen = seen.String()
	if polled && a.seen == was {
		return
	}
	if edges {
		w.note(id, changed)
	}
	if met {
		w.note(id, came)
	}
}

// notice takes in an event.
func (w *watches) notice(e fsnotify.Event) {
	gone := e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
	structure := gone || e.Has(fsnotify.Create)
	for _, name := range slices.Clone(w.names[e.Name]) {
		if gone {
			// Another may be in its place by now.
			w.drop(name)
			w.stale = true
			continue
		}
		for _, c := range w.dirs[name].concerns {
			if c.w.Kind == job.PathChanged && string(c.w.Path) == name {
				w.note(c.id, changed)
			}
		}
	}
	dir, base := filepath.Split(e.Name)
	for _, name := range w.names[filepath.Clean(dir)] {
		full := filepath.Join(name, base)
		for _, c := range w.dirs[name].concerns {
			path := string(c.w.Path)
			switch {
			case strings.HasPrefix(path, full+"/"):
				w.stale = w.stale || structure // what is in it is watched, or no more
			case c.w.Kind == job.PathChanged:
				w.stale = w.stale || structure && path == full
				// What is written into a file of a directory leaves that as it is.
				if path == full || filepath.Dir(full) == path && e.Op != fsnotify.Write {
					w.note(c.id, changed)
				}
			case !gone && (path == full || c.w.Kind == job.PathExistsGlob && matches(path, full)):
				w.note(c.id, came)
			}
		}
	}
}

// existing returns the path, or the nearest directory above it that is there.
func existing(path string) string {
	for {
		info, err := os.Stat(path)
		if parent := filepath.Dir(path); err != nil && parent != path {
			path = parent
			continue
		}
		if err == nil && !info.IsDir() {
			return filepath.Dir(path)
		}
		return path
	}
}

func there(glob string) bool {
	if _, err := os.Stat(glob); err == nil {
		return true
	}
	found, err := filepath.Glob(glob)
	return err == nil && slices.ContainsFunc(found, func(path string) bool { return matches(glob, path) })
}

// matches is as glob(3): a wildcard does not match the dot at the beginning of a name.
func matches(glob, path string) bool {
	ok, err := filepath.Match(glob, path)
	pattern, name := filepath.Base(glob), filepath.Base(path)
	return ok && err == nil && (name[0] != '.' || strings.TrimPrefix(pattern, `\`)[0] == '.')
}
