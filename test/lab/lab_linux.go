package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Booted tells whether PID 1 is systemd, so that no lab is needed; see
// sd_booted(3).
func Booted() bool {
	_, err := os.Stat("/run/systemd/system")
	return err == nil
}

// packages are what a lab needs of Debian, and the file that shows that it is
// there.
var packages = map[string]string{
	"systemd-container": "/usr/bin/systemd-nspawn",
	"dbus-user-session": "/usr/lib/systemd/user/dbus.socket",
	"libpam-systemd":    "/usr/share/pam-configs/systemd",
}

// Install installs Debian packages that are missing: each with a file that shows
// that it is there.
func Install(ctx context.Context, packages map[string]string) error {
	if len(missing(packages)) == 0 {
		return nil
	}
	// Several packages' tests may find that they are missing at the same time.
	dpkg, err := os.Open("/var/lib/dpkg")
	if err != nil {
		return fmt.Errorf("install packages: %w", err)
	}
	defer dpkg.Close()
	if err := syscall.Flock(int(dpkg.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("install packages: %w", err)
	}
	missing := missing(packages)
	if len(missing) == 0 {
		return nil
	}
	for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		// In runlevel 1 no service is started that a package brings, see invoke-rc.d(8).
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("install %s: %w\n%s", strings.Join(missing, " "), err, out)
		}
	}
	return nil
}

// missing returns the packages that are not installed.
func missing(packages map[string]string) (names []string) {
	for name, file := range packages {
		if _, err := os.Stat(file); err != nil {
			names = append(names, name)
		}
	}
	return names
}

// Lab is a system of its own.
type Lab struct {
	outer  *exec.Cmd  // unshare, whose end takes everything with it
	ended  chan error // its end
	leader int        // the lab's PID 1, as seen from here
	groups []string   // its control groups, one in each hierarchy
}

// script runs inside the namespaces. The first machine, and any that follows it
// by a reboot (133), has the same tree.
const script = `
set -e
for group in $LAB_GROUPS; do echo 0 > $group/cgroup.procs; done
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
rm -f /mnt/root/etc/machine-id
: > /mnt/root/etc/machine-id
for unit in $LAB_MASK; do ln -sf /dev/null /mnt/root/etc/systemd/system/$unit; done
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
while :; do
	systemd-nspawn --quiet --keep-unit --register=no --machine=lab --resolv-conf=off --console=pipe -D /mnt/root --boot < /dev/null &
	code=0
	wait $! || code=$?
	[ $code = 133 ] || exit $code
done
`

// masked are units that cost time at boot and that no test needs.
var masked = []string{
	"apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_reap.service", "man-db.timer", "dpkg-db-backup.timer",
	"postgresql.service", "postgresql@.service", "redis-server.service", "docker.service", "docker.socket", "containerd.service",
	"systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service", "console-getty.service",
}

// Boot boots a lab. ctx bounds the boot, not the lab's life.
func Boot(ctx context.Context) (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("boot a lab: that needs root")
	}
	if err := Install(ctx, packages); err != nil {
		return nil, fmt.Errorf("boot a lab: %w", err)
	}
	l := &Lab{ended: make(chan error, 1)}
	err := l.makeGroups()
	if err == nil {
		err = l.start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("boot a lab: %w", err), l.removeGroups())
	}
	err = l.ready(ctx)
	if err == nil {
		err = l.users(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("boot a lab: %w", err), l.Close())
	}
	return l, nil
}

// start starts the namespaces. They get SIGKILL when the thread that started
// them ends, so that thread is kept for as long as they live.
func (l *Lab) start() error {
	l.outer = exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation", "private", "--mount-proc",
		"sh", "-c", script)
	l.outer.Env = append(os.Environ(), "LAB_MASK="+strings.Join(masked, " "), "LAB_GROUPS="+strings.Join(l.groups, " "))
	l.outer.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: see above
		if err := l.outer.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		l.ended <- l.outer.Wait()
	}()
	return <-started
}

// ready waits until the system has booted.
func (l *Lab) ready(ctx context.Context) error {
	err := poll(ctx, func() error {
		leader, err := findLeader(l.outer.Process.Pid)
		l.leader = leader
		return err
	})
	if err != nil {
		return err
	}
	return poll(ctx, func() error {
		out, err := l.Command(ctx, "root", nil, "systemctl", "is-system-running", "--wait").Output()
		if state := string(bytes.TrimSpace(out)); state == "running" || state == "degraded" {
			return nil
		}
		return fmt.Errorf("the system is not running: %s %w", out, err)
	})
}

// users makes alice, who has a user manager, and bob, who has none.
func (l *Lab) users(ctx context.Context) error {
	setup := `set -e
useradd -m -s /bin/bash alice; useradd -m -s /bin/bash bob
loginctl enable-linger alice`
	if out, err := l.Command(ctx, "root", nil, "sh", "-c", setup).CombinedOutput(); err != nil {
		return fmt.Errorf("make the users: %w\n%s", err, out)
	}
	return poll(ctx, func() error {
		out, err := l.Command(ctx, "alice", nil, "systemctl", "--user", "is-system-running").CombinedOutput()
		if state := string(bytes.TrimSpace(out)); state == "running" || state == "degraded" {
			return nil
		}
		return fmt.Errorf("alice has no user manager: %s %w", out, err)
	})
}

// poll tries until it works or ctx is done.
func poll(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// findLeader finds the machine's PID 1 below a process: the child of nspawn.
func findLeader(outer int) (int, error) {
	pid := outer
	for range 8 {
		name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
		if err != nil {
			return 0, err
		}
		if string(bytes.TrimSpace(name)) == "systemd" {
			return pid, nil
		}
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(children), " ")
		if pid, err = strconv.Atoi(first); err != nil {
			return 0, errors.New("the machine has not begun")
		}
	}
	return 0, errors.New("the machine has no leader")
}

// Command is a command inside, as root or another user, with a clean environment
// and what is given beside it.
func (l *Lab) Command(ctx context.Context, user string, env []string, argv ...string) *exec.Cmd {
	// A login would know the user's id; so does getent inside.
	as := `u=$1; shift
uid=$(id -u "$u"); home=$(getent passwd "$u" | cut -d: -f6); cd "$home"
[ -d /run/user/$uid ] && set -- XDG_RUNTIME_DIR=/run/user/$uid "$@"
[ "$u" = root ] || exec setpriv --reuid "$u" --regid "$u" --init-groups env -i HOME="$home" USER="$u" LOGNAME="$u" SHELL=/bin/bash LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
exec env -i HOME="$home" USER="$u" LOGNAME="$u" SHELL=/bin/bash LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"`
	args := append([]string{"-t", strconv.Itoa(l.leader), "-a", "--", "sh", "-c", as, "lab", user}, env...)
	return exec.CommandContext(ctx, "nsenter", append(args, argv...)...)
}

// Install copies a file of this machine into the lab's /usr/local/bin.
func (l *Lab) Install(ctx context.Context, file, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := l.Command(ctx, "root", nil, "sh", "-c", `cat > "/usr/local/bin/$1" && chmod 755 "/usr/local/bin/$1"`, "install", name)
	cmd.Stdin = f
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install %s in the lab: %w\n%s", name, err, out)
	}
	return nil
}

// Reboot reboots the system, and returns when it is up again.
func (l *Lab) Reboot(ctx context.Context) error {
	old := l.leader
	if out, err := l.Command(ctx, "root", nil, "systemctl", "reboot").CombinedOutput(); err != nil {
		return fmt.Errorf("reboot the lab: %w\n%s", err, out)
	}
	err := poll(ctx, func() error {
		leader, err := findLeader(l.outer.Process.Pid)
		if err == nil && leader == old {
			err = errors.New("the old system is still there")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reboot the lab: %w", err)
	}
	return l.ready(ctx)
}

// Close ends the lab and everything in it.
func (l *Lab) Close() error {
	if err := l.outer.Process.Kill(); err != nil {
		return err
	}
	err := <-l.ended
	if rerr := l.removeGroups(); rerr != nil {
		return rerr
	}
	if err == nil {
		return errors.New("the lab ended by itself")
	}
	return nil
}
