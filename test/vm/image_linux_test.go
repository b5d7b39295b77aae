//go:build vm && amd64

package vm

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// imageScript makes an image; see there.
//
//go:embed image.sh
var imageScript string

// makeWithin is how long an image may take to be made.
const makeWithin = 20 * time.Minute

// packages are what is needed of Debian, and the program that shows that it is
// there.
var packages = map[string]string{
	"qemu-system-x86": "qemu-system-x86_64",
	"debootstrap":     "debootstrap",
	"e2fsprogs":       "mkfs.ext4",
}

// image is a directory with a disk, a kernel (vmlinuz) and an initrd, which stays
// while this process lives.
type image string

func (i image) file(name string) string { return filepath.Join(string(i), name) }

// theImage returns the image, which it makes if there is none.
func theImage(t *testing.T) image {
	t.Helper()
	i, err := imageOnce()
	if err != nil {
		t.Fatalf("test-vm can't run here: %v", err)
	}
	return i
}

var imageOnce = sync.OnceValues(func() (image, error) {
	ctx, cancel := context.WithTimeout(context.Background(), makeWithin)
	defer cancel()
	suite, err := examine()
	if err != nil {
		return "", err
	}
	if err := install(ctx); err != nil {
		return "", err
	}
	archive, err := archiveOf(ctx, suite)
	if err != nil {
		return "", err
	}
	return find(ctx, archive, suite)
})

// examine tells what this machine lacks that can't be installed, or else its
// release of Debian.
func examine() (suite string, err error) {
	if os.Geteuid() != 0 {
		err = errors.New("it needs root")
	}
	for _, tool := range []string{"apt-get", "dpkg-deb", "unshare"} {
		if _, missing := exec.LookPath(tool); missing != nil {
			err = errors.Join(err, fmt.Errorf("it needs Debian: %w", missing))
		}
	}
	release, readErr := os.ReadFile("/etc/os-release")
	if readErr != nil {
		return "", errors.Join(err, fmt.Errorf("it needs Debian: %w", readErr))
	}
	id := ""
	for line := range strings.Lines(string(release)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch value = strings.Trim(value, `"`); key {
		case "ID":
			id = value
		case "VERSION_CODENAME":
			suite = value
		}
	}
	if id != "debian" || suite == "" {
		err = errors.Join(err, fmt.Errorf("it needs a release of Debian, and this is %q %q", id, suite))
	}
	return suite, err
}

// install installs the packages that are missing.
func install(ctx context.Context) error {
	var missing []string
	for name, program := range packages {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, name)
		}
	}
	// Without lists there is no kernel to be had.
	listed := exec.CommandContext(ctx, "apt-cache", "show", "linux-image-cloud-amd64").Run() == nil
	if len(missing) == 0 && listed {
		return nil
	}
	// Several packages' tests may find that something is missing at the same time.
	dpkg, err := os.Open("/var/lib/dpkg")
	if err != nil {
		return fmt.Errorf("install packages: %w", err)
	}
	defer dpkg.Close()
	if err := syscall.Flock(int(dpkg.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("install packages: %w", err)
	}
	if out, err := aptGet(ctx, "update", "-qq"); err != nil {
		return fmt.Errorf("update the lists of packages: %w\n%s", err, out)
	}
	if len(missing) == 0 {
		return nil
	}
	if out, err := aptGet(ctx, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)...); err != nil {
		return fmt.Errorf("install %s: %w\n%s", strings.Join(missing, " "), err, out)
	}
	return nil
}

func aptGet(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	return cmd.CombinedOutput()
}

// archiveOf returns from where this machine has its release.
func archiveOf(ctx context.Context, suite string) (string, error) {
	out, err := aptGet(ctx, "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")
	if err != nil {
		return "", fmt.Errorf("find Debian's archive: %w\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if uri, ok := strings.CutPrefix(strings.TrimSpace(line), "Debian "+suite+" main "); ok {
			return uri, nil
		}
	}
	return "", fmt.Errorf("/etc/apt names no archive of Debian %s main", suite)
}

// find finds the image in the cache, or makes it. It keeps a lock as long as this
// process lives, so that nobody removes the image.
func find(ctx context.Context, archive, suite string) (image, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	lock, err := os.Open(dir)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(strings.Join([]string{imageScript, archive, suite}, "\x00")))
	name := hex.EncodeToString(hash[:8])
	i := image(filepath.Join(dir, name))
	// Without the lock, for a moment, somebody else's image may take its place.
	for {
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_SH); err != nil {
			return "", fmt.Errorf("lock %s: %w", dir, err)
		}
		if _, err := os.Stat(string(i)); err == nil {
			keptLock = lock
			return i, nil
		}
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
			return "", fmt.Errorf("lock %s: %w", dir, err)
		}
		if err := remake(ctx, dir, name, archive, suite); err != nil {
			return "", err
		}
	}
}

// keptLock is on the directory of images.
var keptLock *os.File

func cacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "jobman-vm")
	return dir, os.MkdirAll(dir, 0o755)
}

// remake empties the directory of images, if it lacks the one, and makes that.
func remake(ctx context.Context, dir, name, archive, suite string) error {
	if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		return nil
	}
	others, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, o := range others {
		if err := os.RemoveAll(filepath.Join(dir, o.Name())); err != nil {
			return err
		}
	}
	part := filepath.Join(dir, "part")
	if err := os.Mkdir(part, 0o755); err != nil {
		return err
	}
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation", "private", "--mount-proc",
		"sh", "-s", part, archive, suite)
	cmd.Stdin = strings.NewReader(imageScript)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := start(cmd)
	if err != nil {
		return fmt.Errorf("make the image: %w", err)
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.kill()
	}
	if p.err != nil {
		return errors.Join(fmt.Errorf("make the image: %w %w\n%s", p.err, context.Cause(ctx), tail(out.Bytes(), 80)), os.RemoveAll(part))
	}
	return os.Rename(part, filepath.Join(dir, name))
}

// tail returns the last lines of a text.
func tail(text []byte, lines int) []byte {
	var all []string
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		all = append(all, s.Text())
	}
	return []byte(strings.Join(all[max(0, len(all)-lines):], "\n"))
}
