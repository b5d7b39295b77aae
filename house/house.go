// Package house wires the rooms together: a store, its engine and the backends.
// It holds the internal verbs too, which units and shims execute (verbs.go), and
// knows nothing of the command line, so that a program without that can be made
// of it: each job starts two or three of these processes, and what they are
// linked with is what they cost.
package house

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"jobman/engine"
	"jobman/job"
	"jobman/journal"
	"jobman/store"
	"jobman/store/tree"
	"jobman/supervisor"
)

// House is a store with all that it takes to step its jobs.
type House struct {
	*engine.Engine
	programs Programs
	log      func(error)

	// inner says what units and shims execute, which it puts there the first time.
	// Nobody starts a process meanwhile: that would inherit the file while it is
	// written, and then it could not be executed.
	inner func() (string, error)

	mu       sync.Mutex // guards backends
	backends map[string]engine.Backend
}

// Programs opens one of those that this one carries, "inner", which is what units
// execute (see [tree.Tree.Executable]), or "net", which looks at URLs; nil: none.
type Programs func(name string) (io.Reader, error)

// carries returns how one of them is opened; nil: it is not there.
func (p Programs) carries(name string) func() (io.Reader, error) {
	if p == nil {
		return nil
	}
	return func() (io.Reader, error) { return p(name) }
}

// New opens a house over a store. Nothing is connected before it is needed.
// log takes what is not worth failing for.
func New(t tree.Tree, s store.Store, programs Programs, log func(error)) (*House, error) {
	host, err := tree.HostID()
	if err != nil {
		return nil, fmt.Errorf("find this machine's id: %w", err)
	}
	h := &House{programs: programs, log: log, backends: map[string]engine.Backend{}}
	h.inner = sync.OnceValues(h.findInner)
	h.Engine = &engine.Engine{Store: s, Tree: t, Backend: h.Backend, Rest: h.rest, Sensors: senses{h}, Journald: journal.Probe, HostID: host, Log: log}
	return h, nil
}

// Backend returns the backend of that name and scope, the same one each time.
func (h *House) Backend(name, scope string) (engine.Backend, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := name + "/" + scope
	if b := h.backends[key]; b != nil {
		return b, nil
	}
	var b engine.Backend
	var err error
	switch name {
	case "fork":
		b = supervisor.New(h.Tree, h.inner)
	default:
		b, err = h.newSystemd(scope)
	}
	if err != nil {
		return nil, &engine.BackendError{Err: err}
	}
	h.backends[key] = b
	return b, nil
}

// Equip puts into the store what a job needs there beside the program of its
// units: what looks at URLs and tells callbacks. It is done by whoever submits, who
// carries that.
func (h *House) Equip(s *job.Spec, all []job.Callback) error {
	if !slices.ContainsFunc(s.Wait.Conditions(), func(c job.Condition) bool { return c.Kind == job.KindHTTP || c.Kind == job.KindS3 }) &&
		!slices.ContainsFunc(all, func(c job.Callback) bool { return c.Type != "script" }) {
		return nil
	}
	path, err := h.Tree.Helper("net", h.programs.carries("net"))
	if err == nil && path == "" {
		err = errors.New("this jobman was built without jobman-net; build it with make")
	}
	return err
}
