//go:build unix

package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	"jobman/job"
	"jobman/journal"
	"jobman/store/tree"
)

const (
	readyFD   = 3 // where the shim says that it is ready, or why it can't be
	readyWord = "ready"
	stopName  = "stop"
)

// shim is the supervisor of one run.
type shim struct {
	run    tree.Run
	spec   *job.Spec
	id     string // of this execution
	main   int    // pid of what is the command once it was executed
	reaped <-chan reaped
	pokes  chan os.Signal

	stopping bool      // a stop was taken up before the command ended
	killAt   time.Time // when what is left gets SIGKILL; zero: not asked for
}

// Shim is the internal verb `shim`: it supervises a run from its start to the
// record of its end, and has step take that in.
func Shim(dir string, step func(job.Ref) error) error {
	syscall.CloseOnExec(readyFD) // the command must not hold it open
	ready := os.NewFile(readyFD, "ready")
	// Neither a terminal that closes nor its own job's stop signal ends a shim.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGTSTP)
	s := &shim{run: tree.Run(dir), pokes: make(chan os.Signal, 1)}
	signal.Notify(s.pokes, syscall.SIGUSR1)
	lock, err := takeLock(s.run.File(lockName))
	if errors.Is(err, errHeld) {
		return say(ready, readyWord) // another shim has this run
	}
	if err != nil {
		return errors.Join(err, say(ready, "start a shim: "+err.Error()))
	}
	defer lock.Close()
	over, err := s.over()
	if over {
		return say(ready, readyWord)
	}
	var done func() error
	if err == nil {
		done, err = s.start()
	}
	if err != nil {
		return errors.Join(err, say(ready, "start the command: "+err.Error()))
	}
	if err := say(ready, readyWord); err != nil {
		fmt.Fprintln(os.Stderr, "jobman: shim:", err) // whoever started us is gone
	}
	exit := s.supervise()
	if err := done(); err != nil {
		fmt.Fprintln(os.Stderr, "jobman: shim: keep the output:", err)
	}
	if err := s.run.Conclude(exit); err != nil {
		return fmt.Errorf("record the end: %w", err)
	}
	_, ref, err := s.run.Locate()
	if err != nil {
		return err
	}
	return step(ref)
}

func say(ready *os.File, word string) error {
	_, err := ready.WriteString(word)
	return errors.Join(err, ready.Close())
}

// over tells whether the run was executed already, or never will be.
func (s *shim) over() (bool, error) {
	claim, err := s.run.ReadClaim()
	return claim != nil, err
}

// start starts `jobman exec` and the pump. done waits until all of the output
// was kept, once nothing is left that could print.
func (s *shim) start() (done func() error, err error) {
	if s.spec, err = s.run.Spec(); err != nil {
		return nil, err
	}
	if err := becomeSubreaper(); err != nil {
		return nil, fmt.Errorf("become a subreaper: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer outW.Close()
	errR, errW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer errW.Close()
	s.id = invocation()
	s.main, err = syscall.ForkExec(exe, []string{exe, "exec", string(s.run)}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"INVOCATION_ID=" + s.id},
		Files: []uintptr{null.Fd(), outW.Fd(), errW.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, fmt.Errorf("execute jobman: %w", err)
	}
	s.reaped = reap(s.main)
	ctx, cancel := context.WithCancel(context.Background())
	pumped := make(chan error, 1)
	go func() {
		sources := []journal.Source{{Stream: journal.Stdout, File: outR}, {Stream: journal.Stderr, File: errR}}
		pumped <- journal.Pump(ctx, s.run.Logs(), sources, journal.Options{Timestamps: s.spec.Log.PrefixTimestamp})
	}()
	return func() error {
		// Not until the end of file: something that isn't ours may hold the pipe.
		cancel()
		return <-pumped
	}, nil
}

// supervise waits for the end of the command and then of all that it started,
// and returns the record of it. As under systemd, what the command leaves behind
// is stopped.
func (s *shim) supervise() job.Exit {
	s.takeUp() // what was asked for before we were there
	exit := job.Exit{InvocationID: s.id}
	ended := false
	var cpu time.Duration
	for {
		select {
		case <-s.pokes:
			s.takeUp()
		case <-s.deadline():
			s.signalTree(syscall.SIGKILL)
		case r, more := <-s.reaped:
			if !more {
				seconds := cpu.Seconds()
				exit.CPUSeconds = &seconds
				return exit
			}
			cpu += r.cpu
			if r.pid != s.main {
				continue
			}
			exit.At, exit.StopQueued, ended = r.at, s.stopping, true
			exit.MemoryPeak = &r.peak
			describe(r.status, &exit)
		}
		if ended && s.killAt.IsZero() {
			s.stop(job.StopRequest{Signal: s.spec.StopSignal, Grace: time.Duration(s.spec.StopGrace)})
		}
	}
}

func describe(status syscall.WaitStatus, exit *job.Exit) {
	if status.Signaled() {
		exit.Signal = job.SignalName(status.Signal())
		return
	}
	code := status.ExitStatus()
	exit.Code = &code
}

// takeUp looks at what is asked of the shim.
func (s *shim) takeUp() {
	b, err := os.ReadFile(s.run.File(stopName))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var how job.StopRequest
	if err == nil {
		err = json.Unmarshal(b, &how)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "jobman: shim: read what is asked:", err)
		return
	}
	s.stopping = true
	s.stop(how)
}

// stop sends the signal, and sees to it that what is left after the grace is
// killed; a later wish can only bring that forward.
func (s *shim) stop(how job.StopRequest) {
	sig := how.Signal.Number()
	if how.Grace <= 0 || sig == 0 {
		sig = syscall.SIGKILL
	}
	at := time.Now().Add(how.Grace)
	if sig == syscall.SIGKILL {
		at = time.Now()
	}
	if s.killAt.IsZero() || at.Before(s.killAt) {
		s.killAt = at
	}
	s.signalTree(sig)
	// What is stopped would not see a signal that it can handle.
	s.signalTree(syscall.SIGCONT)
}

// killAgain is how often what is left is killed: a process may have forked
// between the look at the tree and the signal.
const killAgain = 10 * time.Millisecond

func (s *shim) deadline() <-chan time.Time {
	if s.killAt.IsZero() {
		return nil
	}
	return time.After(max(time.Until(s.killAt), killAgain))
}

// signalTree signals all that is left of the run.
func (s *shim) signalTree(sig syscall.Signal) {
	pids, err := descendants(s.main)
	if err != nil {
		fmt.Fprintln(os.Stderr, "jobman: shim: look for processes:", err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			fmt.Fprintf(os.Stderr, "jobman: shim: signal %d: %v\n", pid, err)
		}
	}
}
