package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows: what each room may import of ours. cmd/jobman sees all; tests are free.
var arrows = map[string][]string{
	"failpoint":        {},
	"program":          {},
	"turn":             {},
	"doctor":           {},
	"events":           {},
	"job":              {},
	"units":            {"job"},
	"journal":          {"job"},
	"config":           {"job"},
	"store":            {"job"},
	"store/tree":       {"events", "failpoint", "job"},
	"store/bolt":       {"failpoint", "job", "store", "store/tree"},
	"dbusctl":          {"failpoint", "job", "units", "journal", "store/tree", "turn"},
	"supervisor":       {"events", "failpoint", "job", "units", "journal", "store/tree"},
	"engine/nofile":    {},
	"engine":           {"events", "failpoint", "job", "store", "store/tree", "turn", "engine/nofile"},
	"house":            nil,
	"cmd/jobman":       nil,
	"callbacks":        {"job", "program"},
	"callbacks/remote": {"callbacks", "config", "job"},
	"docs":             {},
	"sensors":          {"job", "program"},
	"sensors/remote":   {"job"},
	"cmd/jobman-inner": {"house"},
	"cmd/jobman-net":   {"callbacks", "callbacks/remote", "job", "sensors/remote"},
	"store/storetest":  {"job", "store"},
	"test":             nil,
	"test/bench":       nil,
	"test/bench/empty": {},
	"test/e2e":         nil,
	"test/crash":       nil,
	"test/shells":      nil,
	"test/torture":     nil,
	"test/manager":     nil,
	"test/lab":         {},
	"test/settings":    {"test/lab"},
	"test/smtp":        {},
	"test/wine":        nil,
	"test/wine/helper": {},
	"test/lab/cmd/lab": {"test/lab"},
}

// homes: the only room that may import a library, or those of jobman-net: remote.
var homes = map[string]string{
	"github.com/alecthomas/kong":                    "cmd/jobman",
	"github.com/spf13/viper":                        "config",
	"github.com/godbus/dbus/v5":                     "dbusctl", // and what test/bench compares with
	"github.com/coreos/go-systemd/v22/dbus":         "dbusctl",
	"go.etcd.io/bbolt":                              "store/bolt",
	"net/http":                                      remote,
	"github.com/wneessen/go-mail":                   "callbacks/remote",
	"github.com/nicholas-fedor/shoutrrr/pkg/router": "callbacks/remote",
	"github.com/minio/minio-go/v7":                  "sensors/remote",
}

// remote are the rooms for a network, which only jobman-net is linked with.
const remote = "remote"

type room struct {
	ImportPath, Name, Doc string
	Imports               []string
}

func rooms(t *testing.T) []room {
	t.Helper()
	seen := map[string]room{}
	for _, goos := range []string{"linux", "windows", "darwin"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Doc,Imports", "jobman/...")
		cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var r room
			err := d.Decode(&r)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			r.Imports = append(r.Imports, seen[r.ImportPath].Imports...)
			if r.Doc == "" {
				r.Doc = seen[r.ImportPath].Doc
			}
			seen[r.ImportPath] = r
		}
	}
	var all []room
	for _, r := range seen {
		all = append(all, r)
	}
	return all
}

func TestArrowsPointOneWay(t *testing.T) {
	for _, r := range rooms(t) {
		name := strings.TrimPrefix(r.ImportPath, "jobman/")
		allowed, known := arrows[name]
		if !known {
			t.Errorf("%s has no place in the house: draw its arrows here and in docs/design.md", name)
		}
		for _, path := range r.Imports {
			if ours, is := strings.CutPrefix(path, "jobman/"); is && allowed != nil && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
			at := name
			if strings.HasSuffix(name, "/"+remote) && homes[path] == remote {
				at = remote
			}
			if home := homes[path]; home != "" && home != at && name != "test/bench" {
				t.Errorf("%s imports %s, whose only home is %s", name, path, home)
			}
			if first, _, _ := strings.Cut(path, "/"); name == "job" && strings.Contains(first, ".") {
				t.Errorf("job imports %s, and may import the standard library only", path)
			}
		}
	}
}

func TestEveryRoomSaysWhatItIs(t *testing.T) {
	for _, r := range rooms(t) {
		if r.Doc == "" {
			t.Errorf("%s has no package comment", r.ImportPath)
		}
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc"}, r.Name) {
			t.Errorf("%s is no name for a room", r.Name)
		}
	}
}
