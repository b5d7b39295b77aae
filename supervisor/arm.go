package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"jobman/job"
	"jobman/store/tree"
)

// A post is where a store's ticker, watcher or deliverer is found: a directory with its lock,
// and a file by which it is told to look at the jobs again.
//
// Whoever arms a job commits it first, then pokes, and then looks whether somebody is
// there. One that finds nothing waiting gives up its lock and looks once more. So a
// job is seen by one of the two.
type post string

func tickerPost(store tree.Tree) post { return post(filepath.Join(string(store), "ticker")) }

func watcherPost(store tree.Tree) post { return post(filepath.Join(string(store), "watcher")) }

func delivererPost(store tree.Tree) post { return post(filepath.Join(string(store), "deliverer")) }

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
	return s.summon(ctx, tickerPost(s.store), "ticker", "tick")
}

// Deliver implements engine.Backend: the deliverer stays until nothing is left in the
// outbox.
func (s *Supervisor) Deliver(ctx context.Context, _ time.Time) error {
	return s.summon(ctx, delivererPost(s.store), "deliverer", "deliver", detached)
}

// summon tells who is at a post, or has somebody come.
func (s *Supervisor) summon(ctx context.Context, p post, who, verb string, more ...string) error {
	if err := p.make(); err != nil {
		return fmt.Errorf("start a %s: %w", who, err)
	}
	if err := p.poke(); err != nil {
		return fmt.Errorf("tell the %s: %w", who, err)
	}
	held, err := p.taken()
	if err != nil {
		return fmt.Errorf("look for the %s: %w", who, err)
	}
	if held {
		return nil
	}
	return s.spawn(ctx, string(s.store.Log()), append([]string{verb, string(s.store)}, more...)...)
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

// Resident is how a process of a store of which there is one at a time is told and found.
type Resident struct{ post post }

// NewWatcher returns what watches for jobs of systemd, see Watch.
func NewWatcher(store tree.Tree) Resident { return Resident{watcherPost(store)} }

// NewDeliverer returns what delivers from the outbox, see Attend.
func NewDeliverer(store tree.Tree) Resident { return Resident{delivererPost(store)} }

// Poke has it look at the index again, if it is there.
func (r Resident) Poke() error { return r.post.poke() }

// There tells whether it is.
func (r Resident) There() (bool, error) { return r.post.taken() }
