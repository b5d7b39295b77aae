//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"jobman/job"
	"jobman/store/tree"
)

// A post is where a store's ticker, or watcher, is found: a directory with its lock,
// and a file by which it is told to look at the jobs again.
//
// Whoever arms a job commits it first, then pokes, and then looks whether somebody is
// there. One that finds nothing waiting gives up its lock and looks once more. So a
// job is seen by one of the two.
type post string

func tickerPost(store tree.Tree) post { return post(filepath.Join(string(store), "ticker")) }

func watcherPost(store tree.Tree) post { return post(filepath.Join(string(store), "watcher")) }

const pokeName = "poke"

func (p post) file(name string) string { return filepath.Join(string(p), name) }

func (p post) make() error { return os.MkdirAll(string(p), 0o700) }

// poke has whoever is there look at the jobs again.
func (p post) poke() error {
	err := os.WriteFile(p.file(pokeName), nil, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there never was one
	}
	return err
}

// taken tells whether somebody is there.
func (p post) taken() (bool, error) {
	_, held, err := holderOf(p.file(lockName))
	return held, err
}

// Arm implements engine.Backend.
func (s *Supervisor) Arm(ctx context.Context, _ *job.Job) error {
	p := tickerPost(s.store)
	if err := p.make(); err != nil {
		return fmt.Errorf("start a ticker: %w", err)
	}
	if err := p.poke(); err != nil {
		return fmt.Errorf("tell the ticker: %w", err)
	}
	held, err := p.taken()
	if err != nil {
		return fmt.Errorf("look for the ticker: %w", err)
	}
	if held {
		return nil
	}
	return s.spawn(ctx, string(s.store.Log()), "tick", string(s.store))
}

// Disarm implements engine.Backend: the ticker looks at what is in the index.
func (s *Supervisor) Disarm(context.Context, job.ID) error { return tickerPost(s.store).poke() }

// Armed implements engine.Backend: all are while there is a ticker.
func (s *Supervisor) Armed(_ context.Context, jobs []*job.Job) (map[job.ID]bool, error) {
	held, err := tickerPost(s.store).taken()
	if err != nil {
		return nil, fmt.Errorf("look for the ticker: %w", err)
	}
	armed := make(map[job.ID]bool, len(jobs))
	for _, j := range jobs {
		armed[j.ID] = held
	}
	return armed, nil
}

// Watcher is how the process is told and found that watches for jobs of systemd, see
// Watch.
type Watcher struct{ store tree.Tree }

// NewWatcher returns the watcher of a store.
func NewWatcher(store tree.Tree) Watcher { return Watcher{store} }

// Poke has the watcher look at the jobs again, if there is one.
func (w Watcher) Poke() error { return watcherPost(w.store).poke() }

// There tells whether there is one.
func (w Watcher) There() (bool, error) { return watcherPost(w.store).taken() }
