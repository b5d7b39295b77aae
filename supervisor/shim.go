package supervisor

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"jobman/events"
	"jobman/failpoint"
	"jobman/job"
	"jobman/store/tree"
)

// readyWord is what a process that was started says when it can be relied on.
const readyWord = "ready"

// The files that hold requests. There are two, so that a SIGKILL that was asked
// for is not overwritten by a milder wish before the shim has read it.
const (
	killName = "kill" // at once
	stopName = "stop" // with a grace
	taken    = ".taken"
)

// shim is the supervisor of one run.
type shim struct {
	run  tree.Run
	spec *job.Spec
	main int // pid of what is the command once it was executed

	exit     job.Exit
	ended    bool          // the command did
	stopping bool          // a stop was taken up
	sink     job.Sink      // of the output
	limit    time.Duration // how long the command may take; 0: as long as it wants
	killAt   time.Time     // when what is left gets SIGKILL; zero: not asked for
	said     string        // the last complaint

	tending
}

// Shim is the internal verb `shim`: it supervises a run from its start to the
// record of its end, and has step take that in. It becomes deaf to the signals
// that end a program, so it must be a process of its own. limit is how long the
// command may take, 0: as long as it wants. sink is where its output goes.
func Shim(dir string, limit time.Duration, sink job.Sink, step func(job.Ref) error) error {
	ready := detach()
	s := &shim{run: tree.Run(dir), limit: limit, sink: sink, exit: job.Exit{InvocationID: invocation()}}
	_, ref, err := s.run.Locate()
	if err == nil {
		err = s.listen()
	}
	if err != nil {
		return errors.Join(err, say(ready, "start a shim: "+err.Error()))
	}
	lock, err := takeLock(s.run)
	if errors.Is(err, errHeld) {
		return say(ready, readyWord) // another shim has this run
	}
	if err != nil {
		return errors.Join(err, say(ready, "start a shim: "+err.Error()))
	}
	// Kept to the very end: by it a shim knows those that its command started.
	defer lock.Close()
	failpoint.Hit("locked")
	over, err := s.over()
	if err != nil || over {
		return leave(lock, ready, err)
	}
	keep := func() error { return nil }
	if s.takeUp(); s.stopping {
		s.exit.At, s.exit.StopQueued = time.Now().UTC(), true // it is not executed
	} else if keep, err = s.start(); err != nil {
		return leave(lock, ready, err)
	}
	failpoint.Hit("supervising")
	if err := say(ready, readyWord); err != nil {
		s.complain(err) // whoever started us is gone
	}
	if s.main != 0 {
		s.supervise()
	}
	failpoint.Hit("over")
	if err := keep(); err != nil {
		s.complain(fmt.Errorf("keep the output: %w", err))
	}
	if err := s.conclude(); err != nil {
		return err
	}
	return step(ref)
}

// conclude leaves the record of the end. Nobody else knows it, so what is in the
// way, such as a full disk, is waited for.
func (s *shim) conclude() error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.run.Conclude(s.exit)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("record the end: %w", err)
		if !exists(string(s.run)) {
			return err // the job was deleted
		}
		s.complain(err)
		time.Sleep(pause)
	}
}

// over tells whether the run was executed already, or never will be.
func (s *shim) over() (bool, error) {
	claim, err := s.run.ReadClaim()
	if claim != nil || err != nil {
		return claim != nil, err
	}
	exit, err := s.run.ReadExit()
	return exit != nil, err
}

// takeUp looks at what is asked of the shim. What it took up it renames: who
// asked and was killed before it could poke the shim is thus told from one who
// was heard. A shim that follows a killed one finds what that had taken up.
func (s *shim) takeUp() {
	for _, name := range []string{killName, stopName} {
		for _, file := range []string{name, name + taken} {
			how, err := readRequest(s.run.File(file))
			if err != nil {
				s.complain(fmt.Errorf("read what is asked: %w", err))
			}
			if how == nil {
				continue
			}
			if file == name {
				if err := os.Rename(s.run.File(name), s.run.File(name+taken)); err != nil {
					s.complain(fmt.Errorf("take up what is asked: %w", err))
				}
			}
			s.stopping = true
			if s.main != 0 {
				s.stop(*how)
			}
		}
	}
}

// readRequest returns nil where nothing is asked.
func readRequest(file string) (*job.StopRequest, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	how := new(job.StopRequest)
	if err == nil {
		err = json.Unmarshal(b, how)
	}
	if err != nil {
		return nil, err
	}
	return how, nil
}

// complain says what went wrong, in the run's jobman.log. What is tried again
// and again says so once.
func (s *shim) complain(err error) {
	if text := err.Error(); text != s.said {
		s.said = text
		s.run.Log().Add(events.Failure(err))
	}
}

// leave ends a shim that started nothing. The lock goes first, so that nobody
// sees a run where there is none.
func leave(lock, ready *os.File, why error) error {
	word := readyWord
	if why != nil {
		word = "start the command: " + why.Error()
	}
	return errors.Join(why, lock.Close(), say(ready, word))
}

// say tells who started this process. The line is the end of it: on Windows others may
// have inherited the pipe.
func say(ready *os.File, word string) error {
	_, err := ready.WriteString(strings.ReplaceAll(word, "\n", " ") + "\n")
	return errors.Join(err, ready.Close())
}

// invocation is a random id of an execution, as systemd makes them.
func invocation() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}
