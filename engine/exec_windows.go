package engine

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"jobman/events"
	"jobman/job"
	"jobman/store/tree"
)

// Exec is the internal verb `exec`: it starts the run's command and waits for it, as
// Windows can't turn one program into another. It starts nothing before it gets a line,
// which says that it, and so all that it will start, is in the run's job object. It returns
// only if the command wasn't executed; why is then found by whoever concludes the run.
func Exec(run tree.Run, _ Outputs) error {
	// Ctrl-Break is for the command. It is caught, not ignored, which the command would
	// inherit.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("wait for the job object: %w", err)
	}
	cmd, err := become(run)
	if errors.Is(err, tree.ErrClaimed) {
		return err // the run is another execution's: no word in its files
	}
	if err != nil {
		return errors.Join(err, run.WriteStartError(err.Error()))
	}
	_ = cmd.Wait() // its state tells
	os.Exit(int(uint32(cmd.ProcessState.ExitCode())))
	return nil
}

// become starts the command.
func become(run tree.Run) (*exec.Cmd, error) {
	store, ref, err := run.Locate()
	if err != nil {
		return nil, err
	}
	spec, err := run.Spec()
	if err != nil {
		return nil, err
	}
	env, err := store.Env(ref.ID)
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(string(spec.Chdir)); err != nil {
		return nil, fmt.Errorf("enter the working directory: %w", err)
	}
	cmd := exec.Command(string(spec.Command[0]), job.Strings(spec.Command[1:])...)
	if cmd.Err != nil {
		return nil, cmd.Err
	}
	cmd.Env = environment(env, spec, ref)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	claim := job.Claim{PID: os.Getpid(), InvocationID: os.Getenv("INVOCATION_ID"), At: time.Now().UTC()}
	if err := run.Claim(claim); err != nil {
		return nil, err
	}
	run.Log().Add(events.New(events.Info, "exec", "invocation", claim.InvocationID))
	if err := run.MarkRunning(claim); err != nil {
		run.Log().Add(events.Failure(fmt.Errorf("note that the run began: %w", err)))
	}
	return cmd, cmd.Start()
}

// LookPath finds the file that a command's first word means.
func LookPath(word, _ string) (string, error) { return exec.LookPath(word) }

// Inherit notes nothing: there are no such limits here.
func Inherit(*job.Spec, int) error { return nil }

// Environ returns the environment of this process.
func Environ() ([]byte, error) {
	var b []byte
	for _, s := range os.Environ() {
		b = append(append(b, s...), 0)
	}
	return b, nil
}
