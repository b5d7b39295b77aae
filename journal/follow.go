package journal

import "context"

// Follow calls emit for the output there is, and then for what is written until
// ended is closed and everything is read: unfinished lines come last. The directory
// logs need not exist yet; output shows up some milliseconds after it was written,
// or 50 where the system can't tell of changes.
//
// Close ended only when the output is complete, such as after the end of the run
// was recorded. Errors are those of Open, of reading, of the context, and emit's
// own.
func Follow(ctx context.Context, logs string, opt ReadOptions, ended <-chan struct{}, emit func(Line) error) error {
	// The watch comes before the first look, so that no change falls between them.
	return follow(ctx, newWatch(logs), opt, ended, emit)
}

func follow(ctx context.Context, w *watch, opt ReadOptions, ended <-chan struct{}, emit func(Line) error) error {
	defer w.close()
	r, err := Open(w.logs, opt)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		over := isClosed(ended) // asked before reading, for the same reason
		if over {
			r.Finish()
		}
		if err := r.each(ctx, emit); err != nil || over {
			return err
		}
		if err := w.wait(ctx, ended); err != nil {
			return err
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
