package sensors

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobman/job"
)

// hold has another process open a file until the returned function is called.
// "<" is for reading, ">>" for writing.
func hold(t *testing.T, how, path string, prepare func(*exec.Cmd) error) (release func()) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `exec 3`+how+`"$1"; echo held; read x`, "sh", path)
	if prepare != nil {
		if err := prepare(cmd); err != nil {
			t.Fatal(err)
		}
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		stdin.Close()
		_ = cmd.Wait() // read fails at the end of stdin
	})
	t.Cleanup(release)
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatal(line, err)
	}
	return release
}

func TestNonopenFile(t *testing.T) {
	dir := open(t)
	path := write(t, dir+"/a.csv", "x", 0o666)
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/b.csv", "x", 0o600)
	closed := func() {
		t.Helper()
		for glob, what := range map[string]string{"/a.csv": path, "/*.csv": "2 files"} {
			if got := check(t, job.KindNonopenFile, dir+glob); !got.Met || got.Detail != what+" not open, by write lease" {
				t.Errorf("%s: %+v", glob, got)
			}
		}
	}
	closed()
	for _, how := range []string{"<", ">>"} {
		for name, prepare := range map[string]func(*exec.Cmd) error{"us": nil, "another user": as(t, nobody)} {
			release := hold(t, how, path, prepare)
			for _, glob := range []string{"/a.csv", "/*.csv"} {
				if got := check(t, job.KindNonopenFile, dir+glob); got.Met || got.Detail != path+" open, by write lease" {
					t.Errorf("%s, open by %s: %+v", glob, name, got)
				}
			}
			release()
			closed()
		}
	}
	if got := check(t, job.KindNonopenFile, dir+"/none*"); got.Met || got.Detail != "no such file" || got.Error != "" {
		t.Errorf("%+v", got)
	}
}

// Our own descriptors count too: the kernel tells them apart from the lease's.
func TestNonopenFileThatThisProcessHasOpen(t *testing.T) {
	path := write(t, t.TempDir()+"/a", "", 0o600)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := check(t, job.KindNonopenFile, path); got.Met {
		t.Errorf("%+v", got)
	}
	f.Close()
	if got := check(t, job.KindNonopenFile, path); !got.Met {
		t.Errorf("%+v", got)
	}
}

func TestNonopenFileBehindALink(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir+"/a", "", 0o600)
	if err := os.Symlink(path, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	release := hold(t, "<", path, nil)
	if got := check(t, job.KindNonopenFile, dir+"/link"); got.Met {
		t.Errorf("%+v", got)
	}
	release()
	if got := check(t, job.KindNonopenFile, dir+"/link"); !got.Met {
		t.Errorf("%+v", got)
	}
}

func TestNonopenDirectoryAndFIFO(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/d", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	for path, how := range map[string]string{dir + "/d": "<", dir + "/fifo": "<>"} {
		release := hold(t, how, path, nil)
		if got := check(t, job.KindNonopenFile, path); got.Met || got.Detail != path+" open, by /proc" {
			t.Errorf("%+v", got)
		}
		release()
		if got := check(t, job.KindNonopenFile, path); !got.Met || got.Detail != path+" not open, by /proc" {
			t.Errorf("%+v", got)
		}
	}
}

// Nobody owns neither the file nor CAP_LEASE, and may not look into root's processes.
func TestNonopenFileOfAnotherUser(t *testing.T) {
	path := write(t, open(t)+"/a", "", 0o644)
	const blind = "processes whose files may not be seen"
	hold(t, "<", path, nil)
	if got := lookAs(t, nobody, job.KindNonopenFile, path); !got.Met || !strings.Contains(got.Detail, blind) {
		t.Errorf("open by root: %+v", got)
	}
	release := hold(t, "<", path, as(t, nobody))
	if got := lookAs(t, nobody, job.KindNonopenFile, path); got.Met || !strings.HasPrefix(got.Detail, path+" open, by /proc") {
		t.Errorf("open by nobody: %+v", got)
	}
	release()
}

// Whoever opens the file while the lease is held breaks it, and must not wait for
// long: it would be 45 s if the lease was kept.
func TestALeaseInTheWay(t *testing.T) {
	path := write(t, t.TempDir()+"/a", "", 0o600)
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan error, 1)
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			began := time.Now()
			var f *os.File
			if f, err = os.Open(path); err == nil {
				f.Close()
			}
			if took := time.Since(began); err == nil && took > 10*time.Second {
				err = fmt.Errorf("an open took %s", took)
			}
		}
		opened <- err
	}()
	for range 300 {
		if got := check(t, job.KindNonopenFile, path); got.Error != "" {
			t.Errorf("%+v", got)
		}
	}
	cancel()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// Checks of one file by several jobs do not take each other for users of it.
func TestChecksOfOneFileAtATime(t *testing.T) {
	path := write(t, t.TempDir()+"/a", "", 0o600)
	var checks sync.WaitGroup
	for range 8 {
		checks.Go(func() {
			for range 200 {
				if got := check(t, job.KindNonopenFile, path); !got.Met {
					t.Errorf("%+v", got)
				}
			}
		})
	}
	checks.Wait()
}
