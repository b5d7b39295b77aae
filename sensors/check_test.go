package sensors

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobman/job"
)

func check(t *testing.T, kind job.Kind, target string) job.Check {
	t.Helper()
	return look(t, Checker{Dir: "/", Environ: os.Environ()}, kind, target)
}

// look checks what is true of every check.
func look(t *testing.T, c Checker, kind job.Kind, target string) job.Check {
	t.Helper()
	began := time.Now()
	got := c.Check(t.Context(), kind, target)
	if got.At.Before(began.Add(-time.Second)) || got.At.Location() != time.UTC || time.Until(got.At) > time.Second {
		t.Errorf("checked at %v", got.At)
	}
	if got.Met && got.Error != "" || strings.ContainsAny(got.Error+got.Detail, "\n\r\x1b\x00") {
		t.Errorf("%+v", got)
	}
	return got
}

func write(t *testing.T, path, content string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsNoConditionToBeChecked(t *testing.T) {
	for kind, target := range map[job.Kind]string{
		job.KindFile: "relative", job.KindNonopenFile: "a/*", job.KindScript: "true", job.KindJob: "1:any", "what": "/",
	} {
		if got := check(t, kind, target); got.Error == "" {
			t.Errorf("%s %s: %+v", kind, target, got)
		}
	}
	if got := check(t, job.KindHTTP, "http://localhost/"); got.Error != "this jobman was built without jobman-net; build it with make" {
		t.Errorf("%+v", got)
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for kind, target := range map[job.Kind]string{
		job.KindFile: t.TempDir() + "/*", job.KindNonopenFile: "/*", job.KindScript: "/bin/true",
	} {
		if got := (Checker{}).Check(ctx, kind, target); got.Met || got.Error == "" || got.At.IsZero() {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}
