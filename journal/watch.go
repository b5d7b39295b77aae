package journal

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// pollEvery is how often the files are looked at where nothing tells of changes:
// no inotify instance is left, say.
const pollEvery = 50 * time.Millisecond

// watch wakes a reader when something may have been written. It may wake it for
// nothing.
type watch struct {
	logs    string
	watcher *fsnotify.Watcher // nil: there can be none
	inside  bool              // logs is watched
	outside bool              // its parent is, because logs isn't there yet
}

func newWatch(logs string) *watch {
	w := &watch{logs: logs}
	w.watcher, _ = fsnotify.NewWatcher()
	w.arm()
	return w
}

// arm watches the directory once there is one, and its parent until then.
// It reports whether that changed.
func (w *watch) arm() bool {
	if w.watcher == nil || w.inside {
		return false
	}
	parent := filepath.Dir(w.logs)
	if !w.outside {
		w.outside = w.watcher.Add(parent) == nil
	}
	if w.watcher.Add(w.logs) != nil {
		return false
	}
	w.inside = true
	if w.outside {
		_ = w.watcher.Remove(parent) // what it still tells does no harm
	}
	return true
}

// wait returns when something may have been written, or ended was closed. The
// error is the context's.
func (w *watch) wait(ctx context.Context, ended <-chan struct{}) error {
	if w.arm() {
		return ctx.Err() // written to before it was watched, perhaps
	}
	var changed <-chan fsnotify.Event
	var missed <-chan error
	every := pollEvery
	if w.inside || w.outside {
		changed, missed, every = w.watcher.Events, w.watcher.Errors, pollAnyway
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-changed:
	case <-missed: //nolint:errcheck // too many at once; unread, it would hold up the watcher
	case <-timer.C:
	case <-ended:
	case <-ctx.Done():
	}
	return ctx.Err()
}

func (w *watch) close() {
	if w.watcher != nil {
		w.watcher.Close()
	}
}
