//go:build unix

package sensors

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"jobman/job"
)

const nobody = 65534

// as has a program of a test run by another user.
func as(t *testing.T, uid uint32) func(*exec.Cmd) error {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can run programs as others")
	}
	return func(cmd *exec.Cmd) error {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		return nil
	}
}

// open makes the test's directory accessible to other users.
func open(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestMain is also the program that looks as another user at what a test tells it.
func TestMain(m *testing.M) {
	if glob := os.Getenv("SENSORS_LOOK"); glob != "" {
		got := Checker{}.Check(context.Background(), job.Kind(os.Getenv("SENSORS_KIND")), glob)
		if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
			panic(err)
		}
		return
	}
	m.Run()
}

func lookAs(t *testing.T, uid uint32, kind job.Kind, target string) (got job.Check) {
	t.Helper()
	// Where other users may execute it.
	program := copyFile(t, os.Args[0], open(t)+"/sensors.test")
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "SENSORS_LOOK="+target, "SENSORS_KIND="+string(kind))
	cmd.Dir = "/"
	if err := as(t, uid)(cmd); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func copyFile(t *testing.T, from, to string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, to, string(content), 0o755)
}

func TestFileThatMayNotBeSeen(t *testing.T) {
	dir := open(t)
	write(t, dir+"/secret/x", "", 0o600)
	write(t, dir+"/public/x", "", 0o600)
	if err := os.Chmod(dir+"/secret", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		glob       string
		met, error bool
	}{
		{"/secret/x", false, true},
		{"/secret/*", false, true},
		{"/*/y", false, true},
		{"/*/x", true, false},
		{"/public/*", true, false},
	} {
		if got := lookAs(t, nobody, job.KindFile, dir+c.glob); got.Met != c.met || (got.Error != "") != c.error {
			t.Errorf("%s: %+v", c.glob, got)
		}
	}
}
