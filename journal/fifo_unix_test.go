//go:build unix

package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fifos are a run's two FIFOs, held open by the test as systemd holds them, for
// reading and writing: no reader ever sees an end.
type fifos struct {
	t    testing.TB
	logs string
	path [numStreams]string
	held [numStreams]*os.File
	all  []*os.File // that were opened
	// What the pumps of pumpProcess keep; empty: nothing.
	spool string
}

func newFIFOs(t testing.TB) *fifos {
	t.Helper()
	dir := t.TempDir()
	f := &fifos{t: t, logs: filepath.Join(dir, "logs")}
	for s := range f.path {
		f.path[s] = filepath.Join(dir, Stream(s).String())
		if err := unix.Mkfifo(f.path[s], 0o600); err != nil {
			t.Fatal(err)
		}
		f.held[s] = f.open(Stream(s), os.O_RDWR)
	}
	return f
}

func (f *fifos) open(s Stream, flags int) *os.File {
	f.t.Helper()
	file, err := os.OpenFile(f.path[s], flags|unix.O_NONBLOCK, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { file.Close() })
	f.all = append(f.all, file)
	return file
}

// sources opens the reading ends anew, as another process would.
func (f *fifos) sources() []Source {
	f.t.Helper()
	return []Source{{Stdout, f.open(Stdout, os.O_RDONLY)}, {Stderr, f.open(Stderr, os.O_RDONLY)}}
}

// write is a short-lived writer.
func (f *fifos) write(s Stream, text string) {
	f.t.Helper()
	w := f.open(s, os.O_WRONLY)
	defer w.Close()
	if _, err := w.WriteString(text); err != nil {
		f.t.Error(err)
	}
}

// job starts a program that writes to the FIFOs. The end of the test kills it.
func (f *fifos) job(argv ...string) *exec.Cmd {
	f.t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	for s, to := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		w, err := os.OpenFile(f.path[s], os.O_WRONLY, 0)
		if err != nil {
			f.t.Fatal(err)
		}
		defer w.Close()
		*to = w
	}
	f.start(cmd)
	return cmd
}

func (f *fifos) start(cmd *exec.Cmd) {
	f.t.Helper()
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Kill() // most have ended and been waited for
		_ = cmd.Wait()
	})
}

func (f *fifos) drain(opt Options) {
	f.t.Helper()
	if err := Drain(withTimeout(f.t), f.logs, f.sources(), opt); err != nil {
		f.t.Fatal(err)
	}
}

// pump runs a pump here until the returned function is called.
func (f *fifos) pump(opt Options) (stop func()) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	sources := f.sources()
	go func() { done <- Pump(ctx, f.logs, sources, opt) }()
	return func() {
		f.t.Helper()
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	}
}

// pumpProcess starts a pump in a process of its own. The end of the test kills it.
func (f *fifos) pumpProcess(hold time.Duration) *exec.Cmd {
	f.t.Helper()
	return f.process("pump", strconv.FormatInt(int64(hold), 10), f.spool)
}

// process starts the test binary again, in the role that TestMain knows.
func (f *fifos) process(role string, args ...string) *exec.Cmd {
	f.t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{f.logs}, args...)...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.ExtraFiles = f.held[:]
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	f.start(cmd)
	return cmd
}

const roleVariable = "JOBMAN_JOURNAL_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(role, os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// play is what the other processes do.
func play(role, logs string, args []string) error {
	sources := []Source{{Stdout, os.NewFile(3, "stdout")}, {Stderr, os.NewFile(4, "stderr")}}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	switch role {
	case "pump":
		hold, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return err
		}
		return Pump(ctx, logs, sources, Options{Timestamps: true, Hold: time.Duration(hold), Spool: args[1]})
	case "full":
		return playFull(ctx, logs)
	}
	return errors.New("unknown role")
}

// withTimeout is a context for what should take milliseconds.
func withTimeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
