//go:build unix

package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"jobman/events"
	"jobman/failpoint"
	"jobman/job"
	"jobman/store/tree"
)

// Exec is the internal verb `exec`: this process becomes the run's command. All
// it needs is in the files of the run; it opens no index and reads no
// configuration. It makes the claim when all that can fail before the command
// is executed has been done, and returns only if the command wasn't executed;
// why is then found by whoever concludes the run.
func Exec(run tree.Run, out Outputs) error {
	runtime.LockOSThread() // the nice value belongs to the thread that executes
	note := run.WriteStartError
	err := become(run, out, &note)
	if errors.Is(err, tree.ErrClaimed) {
		return err // the run is another execution's: no word in its files
	}
	if werr := note(err.Error()); werr != nil {
		return errors.Join(err, werr)
	}
	return err
}

// become executes the command, or returns why it could not. note is how the reason
// is left for whoever concludes the run.
func become(run tree.Run, out Outputs, note *func(string) error) error {
	store, ref, err := run.Locate()
	if err != nil {
		return err
	}
	spec, err := run.Spec()
	if err != nil {
		return err
	}
	env, err := store.Env(ref.ID)
	if err != nil {
		return err
	}
	vars := environment(env, spec, ref)
	if err := os.Chdir(string(spec.Chdir)); err != nil {
		return fmt.Errorf("enter the working directory: %w", err)
	}
	path, err := LookPath(string(spec.Command[0]), lookup(vars, "PATH"))
	if err != nil {
		return err
	}
	who, err := identityOf(spec)
	if err != nil {
		return err
	}
	if err := redirect(spec, out); err != nil {
		return err
	}
	// From here on a stop signal ends this process at once, and is not lost
	// between Go's handler and execve(2).
	defaultSignals()
	claim, err := makeClaim(run, out.Identifier)
	if err != nil {
		return err
	}
	run.Log().Add(events.New(events.Info, "exec", "invocation", claim.InvocationID))
	// From here on only the record of a failed execve says that the command
	// was not executed.
	if err := run.MarkRunning(claim); err != nil {
		run.Log().Add(events.Failure(fmt.Errorf("note that the run began: %w", err)))
	}
	if err := bestow(spec); err != nil {
		return err
	}
	if who != nil {
		// As somebody else it has no right to the run's directory.
		if *note, err = run.OpenStartError(); err != nil {
			return err
		}
		if err := who.take(1, 2); err != nil {
			return err
		}
		if err := who.become(); err != nil {
			return err
		}
		if err := os.Chdir(string(spec.Chdir)); err != nil { // it may have no right to
			return fmt.Errorf("enter the working directory: %w", err)
		}
	}
	failpoint.Hit("execve")
	return execve(path, job.Strings(spec.Command), vars)
}

// roomAgain is how long exec waits before it tries again on a full disk.
const roomAgain = time.Second

// makeClaim makes the claim of this process. A disk that is full is no reason to
// give up a job that was taken: it is executed when there is room.
func makeClaim(run tree.Run, identifier string) (job.Claim, error) {
	for {
		claim := job.Claim{PID: os.Getpid(), InvocationID: os.Getenv("INVOCATION_ID"), At: time.Now().UTC(), Identifier: identifier}
		err := run.Claim(claim)
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
			return claim, err
		}
		time.Sleep(roomAgain)
	}
}

// execve executes the file as execvp(3) does: what is no program the kernel
// knows is a shell script.
func execve(path string, argv, env []string) error {
	err := syscall.Exec(path, argv, env)
	if errors.Is(err, syscall.ENOEXEC) {
		err = syscall.Exec("/bin/sh", append([]string{"sh", path}, argv[1:]...), env)
	}
	return fmt.Errorf("execute %s: %w", path, err)
}

func lookup(env []string, key string) string {
	for _, entry := range env {
		if k, v, ok := strings.Cut(entry, "="); ok && k == key {
			return v
		}
	}
	return ""
}

// LookPath finds the file that a command's first word means, in the working
// directory of this process, as execvp(3) does.
func LookPath(word, path string) (string, error) {
	if strings.Contains(word, "/") {
		return word, executable(word)
	}
	found := fmt.Errorf("%s: command not found", word)
	if path == "" {
		path = "/usr/local/bin:/bin:/usr/bin" // as execvp(3) of the C library
	}
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + word
		switch err := executable(file); {
		case err == nil:
			return file, nil
		case errors.Is(err, os.ErrPermission):
			found = err
		}
	}
	return "", found
}

func executable(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("%s: is a directory", file)
	}
	if err := unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// redirect opens the outputs. stdin is /dev/null, as the backends start us.
func redirect(spec *job.Spec, out Outputs) error {
	for _, o := range []output{{1, out.Stdout, spec.Log.Stdout}, {2, out.Stderr, spec.Log.Stderr}} {
		fd, err := o.open(out.Connect)
		if err != nil {
			return fmt.Errorf("open the output: %w", err)
		}
		if fd < 0 {
			continue
		}
		if err := dup2(fd, o.fd); err != nil {
			return fmt.Errorf("open the output: %w", err)
		}
		if err := unix.Close(fd); err != nil {
			return err
		}
	}
	return nil
}

// output is one of the command's two.
type output struct {
	fd   int // what it is to be
	path string
	kept bool
}

// open returns a descriptor for it, or -1 where it stays as it is.
func (o output) open(connect func(stream int) (int, error)) (int, error) {
	switch {
	case !o.kept:
		o.path = os.DevNull
	case connect != nil:
		return connect(o.fd)
	case o.path == "":
		return -1, nil
	}
	// O_NONBLOCK: without a reader, open would block. Not through package os,
	// which would leave it on.
	fd, err := unix.Open(o.path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		return -1, fmt.Errorf("%s: %w", o.path, err)
	}
	return fd, nil
}
