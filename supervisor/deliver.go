package supervisor

import (
	"errors"
	"os"

	"github.com/fsnotify/fsnotify"

	"jobman/store/tree"
)

// Attend has the one process of a store that delivers from the outbox do its work.
// Whoever commits something to deliver pokes it, which work is told by a channel. Where
// another one is there, that is poked, and nothing else done. left tells, once the lock
// is given up, whether something was committed meanwhile.
func Attend(store tree.Tree, isDetached bool, work func(poked <-chan struct{}) error, left func() (bool, error)) (err error) {
	var ready *os.File
	if isDetached {
		ready = detach()
		listen()
	}
	tell := func(err error) error {
		if ready == nil {
			return err
		}
		word := readyWord
		if err != nil {
			word = "start a deliverer: " + err.Error()
		}
		serr := say(ready, word)
		ready = nil
		if err == nil {
			return nil // whoever started us may be gone
		}
		return errors.Join(err, serr)
	}
	p := delivererPost(store)
	if err := p.make(); err != nil {
		return tell(err)
	}
	poked, err := watchPokes(p)
	if err != nil {
		return tell(err)
	}
	for {
		lock, err := lockFile(p.file(lockName))
		if errors.Is(err, errHeld) {
			return tell(p.poke())
		}
		if err = tell(err); err != nil {
			return err
		}
		err = errors.Join(work(poked), lock.Close())
		if err != nil {
			return err
		}
		if more, err := left(); err != nil || !more {
			return err
		}
	}
}

// watchPokes says whenever somebody pokes. Without inotify nobody can; who works looks
// again from time to time.
func watchPokes(p post) (<-chan struct{}, error) {
	poked := make(chan struct{}, 1)
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return poked, nil
	}
	if err := events.Add(string(p)); err != nil {
		return nil, errors.Join(err, events.Close())
	}
	poke := p.file(pokeName)
	go func() {
		for e := range events.Events {
			if e.Name != poke && !e.Has(fsnotify.Remove) { // the store may be gone
				continue
			}
			select {
			case poked <- struct{}{}:
			default: // it will look anyway
			}
		}
	}()
	return poked, nil
}
