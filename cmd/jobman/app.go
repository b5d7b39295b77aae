package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"jobman/config"
	"jobman/events"
	"jobman/failpoint"
	"jobman/house"
	"jobman/store"
	"jobman/store/bolt"
	"jobman/store/tree"
)

// app is what every verb gets: the common options, resolved, and the house
// behind them.
type app struct {
	common
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	words  words // the command line as it was split
	umask  int   // as it was inherited

	settings *config.Settings
	resolved *config.Resolved // the options of the job that is about to be submitted
	line     *specLine        // what it is a copy of, or the line of --from that it is
	env      []byte           // its environment; nil: ours
	chosen   string           // the backend, once it was chosen
	host     string           // this machine's name, once it was looked up

	scope        string
	tree         tree.Tree
	store        store.Store
	index        *bolt.Store // what is behind store, for those who look after it
	untold       sync.Map    // by job.Ref: what tellLoss is to say of a run, see output.remember
	lossy        sync.Once   // what tellStored says of journald
	*house.House             // nil until it is open
}

// open finds the store and builds the house over it, once. Nothing is created or
// connected before it is needed.
func (a *app) open() error {
	if a.House != nil {
		return nil
	}
	if err := a.openAside(); err != nil {
		return err
	}
	a.noteNoStore()
	a.catchUp()
	return nil
}

// noteNoStore says that the store that --db names is not there, which may be a slip.
func (a *app) noteNoStore() {
	if a.DB == "" {
		return
	}
	if _, err := os.Lstat(string(a.tree)); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if verb := a.words.verb[0]; verb == verbRun || verb == "rerun" {
		a.note("--db: there is no store at %s yet; it is made", a.tree)
	} else {
		a.note("--db: there is no store at %s", a.tree)
	}
}

// openAside opens the store and leaves its jobs alone.
func (a *app) openAside() error {
	switch {
	case a.User && a.System:
		return usage("--user and --system contradict each other")
	case a.System && os.Geteuid() != 0:
		return usage("--system needs root").try("sudo jobman --system ...")
	case a.System, os.Geteuid() == 0 && !a.User:
		a.scope = "system"
	default:
		a.scope = "user"
	}
	dir, err := storeDir(a.DB)
	if err != nil {
		return err
	}
	failpoint.Use(dir, "jobman")
	return a.openStore(dir)
}

// catchUp does the safety net's work where nothing else has for a while: the
// fork supervisor has no timers, and a system that was off had none that ran.
func (a *app) catchUp() {
	overdue, err := a.Overdue()
	if err == nil && overdue {
		_, err = a.Reconcile(a.ctx)
	}
	a.debug(err) // the verb will say what concerns it
}

func (a *app) openStore(dir string) error {
	a.tree = tree.Tree(dir)
	s, err := bolt.Open(dir, bolt.Options{Log: a.debug})
	if err != nil {
		return storeProblem(err)
	}
	a.store, a.index = classifying{s}, s
	a.House, err = house.New(a.tree, a.store, programs(), a.debug)
	return err
}

// level is how much jobman says on stderr: what --log-level asks for, or -q or -v.
func (a *app) level() events.Level {
	level, err := events.ParseLevel(a.LogLevel)
	switch {
	case err == nil:
		return level
	case a.Quiet:
		return events.Error
	case a.Verbose:
		return events.Info
	}
	return events.Warn
}

// eventLevel is from which level on events are shown. Who looks at them wants to
// know more than who is told.
func (a *app) eventLevel() events.Level {
	switch {
	case a.LogLevel != "" || a.Quiet:
		return a.level()
	case a.Verbose:
		return events.Debug
	}
	return events.Info
}

// say prints a message of jobman's own that matters that much.
func (a *app) say(level events.Level, text string) {
	if level >= a.level() {
		fmt.Fprintln(a.stderr, "jobman:", printable(text))
	}
}

// debug tells of what went wrong and concerns nobody but who looks for it.
func (a *app) debug(err error) {
	if err != nil {
		a.say(events.Debug, err.Error())
	}
}

// note tells the user something that is no error.
func (a *app) note(format string, args ...any) { a.say(events.Warn, fmt.Sprintf(format, args...)) }

// storeDir is the store of the effective user, as an absolute path: the one
// that --db names, else ~/.jobman/.db.
func storeDir(db string) (string, error) {
	if scheme, _, ok := strings.Cut(db, "://"); ok {
		return "", usage("--db %s: there is no store of the kind %q; give a directory", db, scheme)
	}
	if rest, ok := strings.CutPrefix(db, "~/"); ok || db == "" {
		home, err := homeDir()
		if err != nil {
			return "", &problem{kind: "store", text: "find the home directory: " + err.Error(), hint: "jobman --db DIR ..."}
		}
		if db == "" {
			rest = ".jobman/.db"
		}
		db = filepath.Join(home, rest)
	}
	return filepath.Abs(db)
}

// storeProblem explains an error of the store.
func storeProblem(err error) error {
	var active *store.ActiveError
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrUnchanged), errors.As(err, &active),
		errors.Is(err, context.Canceled):
		return err
	}
	var p *problem
	if errors.As(err, &p) {
		return err
	}
	text := err.Error()
	if errors.Is(err, syscall.ENOSPC) {
		text += "; make room there, then try again"
	}
	return &problem{kind: "store", text: text, err: err}
}
