package nofile_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"jobman/engine/nofile"
)

// The test binary, started with a lower limit, looks at what it sees.
func TestInheritedIsTheLimitBeforeItWasRaised(t *testing.T) {
	if runtime.GOOS != "linux" {
		if _, _, ok := nofile.Inherited(); ok {
			t.Fatal("Inherited() claims to know")
		}
		return
	}
	if os.Getenv("NOFILE_CHILD") != "" {
		if soft, hard, ok := nofile.Inherited(); !ok || soft != 123 || hard != 456 {
			t.Fatalf("Inherited() = %d, %d, %v; want 123, 456", soft, hard, ok)
		}
		return
	}
	cmd := exec.Command("sh", "-c", `ulimit -Sn 123 && ulimit -Hn 456 && exec "$0" -test.run=^`+t.Name()+`$ -test.v`, os.Args[0])
	cmd.Env = append(os.Environ(), "NOFILE_CHILD=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS") {
		t.Fatalf("%v\n%s", err, out)
	}
}
