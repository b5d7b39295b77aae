package lab_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobman/test/lab"
)

// TestMain is also the process that is killed while it holds a lab.
func TestMain(m *testing.M) {
	if os.Getenv("LAB_HOLD") == "" {
		os.Exit(m.Run())
	}
	if _, err := lab.Boot(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("booted")
	select {}
}

func need(t *testing.T) {
	t.Helper()
	if lab.Booted() {
		t.Skip("PID 1 is systemd: no lab is needed")
	}
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("in CI there must be a systemd: a lab needs root")
		}
		t.Skip("a lab needs root")
	}
}

func TestALabIsARealSystem(t *testing.T) {
	need(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	setMark(t)
	before := leftovers(t)
	l, err := lab.Boot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		gone(t, before)
	}()
	in := func(user string, argv ...string) string {
		t.Helper()
		out, err := l.Command(ctx, user, nil, argv...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %q: %v\n%s", user, argv, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	in("root", "systemd-run", "--wait", "-q", "true")
	in("alice", "systemd-run", "--user", "--wait", "-q", "true")
	if got := in("alice", "sh", "-c", "test -S $XDG_RUNTIME_DIR/systemd/private && whoami"); got != "alice" {
		t.Errorf("alice is %q", got)
	}
	if got := in("bob", "sh", "-c", "echo $(whoami) ${XDG_RUNTIME_DIR-none}"); got != "bob none" {
		t.Errorf("bob is %q", got)
	}

	in("root", "touch", "/root/kept-over-the-reboot")
	boot := in("root", "cat", "/proc/sys/kernel/random/boot_id")
	if err := l.Reboot(ctx); err != nil {
		t.Fatal(err)
	}
	in("root", "test", "-e", "/root/kept-over-the-reboot")
	if again := in("root", "cat", "/proc/sys/kernel/random/boot_id"); again == boot {
		t.Errorf("the boot id is still %s", boot)
	}
	in("root", "systemd-run", "--wait", "-q", "true")
}

func TestNothingOutlivesWhoeverBootedIt(t *testing.T) {
	need(t)
	setMark(t)
	before := leftovers(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "LAB_HOLD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 100)
	if n, err := out.Read(line); err != nil || !bytes.HasPrefix(line[:n], []byte("booted")) {
		t.Fatalf("%q, %v", line[:n], err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("killed, and ended well")
	}
	gone(t, before)
}

// leftovers are the things that a lab could leave: mounts and processes.
func leftovers(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	found := string(mounts)
	for _, name := range environs {
		// Other tests have labs of their own. What has ended has no environment.
		if environ, err := os.ReadFile(name); err == nil && bytes.Contains(environ, []byte(mark+"="+os.Getenv(mark))) {
			found += name + "\n"
		}
	}
	return found
}

// mark is a variable that all processes of this test's labs have.
const mark = "LAB_TEST"

func setMark(t *testing.T) { t.Setenv(mark, rand.Text()) }

func gone(t *testing.T, before string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for leftovers(t) != before {
		if time.Now().After(deadline) {
			t.Fatalf("a lab left something behind:\n%s\nbefore:\n%s", leftovers(t), before)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
