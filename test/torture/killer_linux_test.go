package torture

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobman/job"
	"jobman/store/tree"
)

// killer looks for the internal processes of the jobman of one home, and kills
// some, each at a random moment of its life.
type killer struct {
	*testing.T
	home   string
	random *rand.Rand

	mu   sync.Mutex
	hits map[string]int // by verb
	runs map[job.Ref]map[string]bool
}

func newKiller(t *testing.T, home string, random *rand.Rand) *killer {
	return &killer{T: t, home: home, random: random, hits: map[string]int{}, runs: map[job.Ref]map[string]bool{}}
}

func (k *killer) count(verb string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hits[verb]++
}

// of returns the verbs that were killed for a run.
func (k *killer) of(ref job.Ref) map[string]bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.runs[ref])
}

func (k *killer) run(ctx context.Context) {
	seen := map[int]bool{}
	var kills sync.WaitGroup
	defer kills.Wait()
	for ctx.Err() == nil {
		names, err := readNames("/proc")
		if err != nil {
			k.Error(err)
			return
		}
		now := map[int]bool{}
		for _, name := range names {
			pid, err := strconv.Atoi(name)
			if err != nil {
				continue
			}
			now[pid] = true
			if seen[pid] {
				continue
			}
			verb, _ := k.verb(pid)
			if verb == "" {
				// It may be about to become one: a fork that has not executed yet.
				now[pid] = false
				continue
			}
			if k.random.IntN(100) < killShare {
				after := time.Duration(k.random.IntN(8_000)) * time.Microsecond
				kills.Go(func() { k.kill(pid, after) })
			}
		}
		seen = now
		time.Sleep(500 * time.Microsecond)
	}
}

func readNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// kill kills a process that still is one of jobman's then. It may become the
// command between the look and the signal, which counts as a hit of exec.
func (k *killer) kill(pid int, after time.Duration) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // it has ended
	}
	defer func() {
		if err := unix.Close(fd); err != nil {
			k.Error(err)
		}
	}()
	time.Sleep(after)
	verb, dir := k.verb(pid)
	if verb == "" {
		return
	}
	// Noted first: whoever looks at the run must know.
	if _, ref, err := tree.Run(dir).Locate(); err == nil {
		k.mu.Lock()
		if k.runs[ref] == nil {
			k.runs[ref] = map[string]bool{}
		}
		k.runs[ref][verb] = true
		k.mu.Unlock()
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err == nil {
		k.count(verb)
	} else if !errors.Is(err, unix.ESRCH) {
		k.Error(err)
	}
}

// verb returns the internal verb of a process, and what it works on, if it is one
// of this home's.
func (k *killer) verb(pid int) (verb, dir string) {
	cmdline, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return "", ""
	}
	args := bytes.Split(cmdline, []byte{0})
	if len(args) < 4 || !strings.HasPrefix(filepath.Base(string(args[0])), "jobman") || !strings.HasPrefix(string(args[2]), k.home) {
		return "", ""
	}
	return string(args[1]), string(args[2])
}
