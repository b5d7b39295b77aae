package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The disk is a tmpfs of 1 MiB in a mount namespace, which goes with the process.
func TestAFullDiskNeitherStopsTheJobNorLosesUncounted(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small disk")
	}
	logs := newLogs(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], logs)
	cmd.Env = append(os.Environ(), roleVariable+"=full")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || bytes.Contains(out, []byte("operation not permitted")) {
		t.Skip("may not mount")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// playFull runs a job on a disk that is full, and then no more.
func playFull(ctx context.Context, logs string) error {
	disk := filepath.Dir(logs)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- Pump(ctx, logs, []Source{{Stdout, r}}, Options{}) }()
	var want [numStreams][]byte
	n := 0
	write := func() error {
		n++
		text := fmt.Appendf(nil, "<%d %s>\n", n, strings.Repeat(".", 1000))
		want[Stdout] = append(want[Stdout], text...)
		_, err := w.Write(text)
		return err
	}
	for n < 5000 { // 5 MB
		if err := write(); err != nil {
			return err
		}
	}
	lost, err := Lost(logs)
	if err != nil || lost.Stdout == 0 {
		return fmt.Errorf("on the full disk %v are told to be lost (%w)", lost, err)
	}
	if err := os.Truncate(logPath(logs, 1), 100_000); err != nil { // makes room, and another torn record
		return err
	}
	want[Stdout] = nil // no longer to be compared
	for before, start := content(logs), time.Now(); content(logs) == before; time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			return errors.New("output does not go on")
		}
		if err := write(); err != nil {
			return err
		}
	}
	w.Close()
	if err := <-done; !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("pump: %w, want ENOSPC", err)
	}
	if !strings.HasSuffix(content(logs), fmt.Sprintf("stdout: <%d %s>\n", n, strings.Repeat(".", 1000))) {
		return errors.New("the last line is not there")
	}
	return nil
}
