//go:build vm && amd64

package vm

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobman/test/settings"
)

// bootWithin is how long a boot may take; without KVM it takes 15 s on a machine
// that has nothing else to do.
const bootWithin = 3 * time.Minute

// tidyWithin is how long before the test is out of time a machine is cut off.
const tidyWithin = 20 * time.Second

// process is a child that does not outlive this process.
type process struct {
	*exec.Cmd
	ended chan struct{}
	err   error // after ended
}

// start starts a command. It gets SIGKILL when the thread that started it ends, so
// that thread is kept for as long as it lives.
func start(cmd *exec.Cmd) (*process, error) {
	p := &process{Cmd: cmd, ended: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: see above
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	return p, <-started
}

// kill kills it, and returns when it is gone.
func (p *process) kill() {
	p.Process.Kill() //nolint:errcheck // it may have ended
	<-p.ended
}

// machine is a computer with a disk, which can be switched on and cut off.
type machine struct {
	*testing.T
	image image
	disk  *os.File    // without a name
	qemu  *process    // nil before it was first switched on
	last  *time.Timer // cuts it off before the test is out of time, so that all is tidied up

	port    *os.File      // the host's end of its shell
	lines   *bufio.Reader // that it says there
	console *console
}

// console keeps what the kernel and systemd say.
type console struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(p)
}

// newMachine makes a machine with a fresh disk, where jobman is installed, and
// switches it on.
func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{T: t, image: theImage(t)}
	jobman := settings.Build(t.Context(), t, "")
	disk, err := os.CreateTemp(filepath.Dir(string(m.image)), "disk-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(disk.Name()); err != nil {
		t.Fatal(err)
	}
	m.disk = disk
	t.Cleanup(func() {
		if m.qemu != nil {
			m.cut()
		}
		if m.port != nil {
			m.port.Close()
		}
		disk.Close()
	})

	m.onDisk("cp", "--sparse=always", "--reflink=auto", m.image.file("disk"), "/proc/self/fd/3")
	m.onDisk("debugfs", "-w", "-R", "write "+jobman+" /usr/local/bin/jobman", "/proc/self/fd/3")
	m.onDisk("debugfs", "-w", "-R", "sif /usr/local/bin/jobman mode 0100755", "/proc/self/fd/3")
	m.boot()
	return m
}

// onDisk executes a program that finds the disk as its file 3.
func (m *machine) onDisk(name string, args ...string) {
	m.Helper()
	cmd := exec.CommandContext(m.Context(), name, args...)
	cmd.ExtraFiles = []*os.File{m.disk}
	if out, err := cmd.CombinedOutput(); err != nil {
		m.Fatalf("prepare the disk: %s: %v\n%s", name, err, out)
	}
}

// boot switches the machine on, and returns when it is up.
func (m *machine) boot() {
	m.Helper()
	began := time.Now()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		m.Fatal(err)
	}
	guest := os.NewFile(uintptr(pair[1]), "guest")
	defer guest.Close()
	if err := syscall.SetNonblock(pair[0], true); err != nil {
		m.Fatal(err)
	}
	if m.port != nil {
		m.port.Close()
	}
	m.port = os.NewFile(uintptr(pair[0]), "shell")
	m.lines = bufio.NewReader(m.port)
	m.console = &console{}

	accel := accelerator(m.T)
	cmd := exec.Command("qemu-system-x86_64", append(accel, "-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-no-reboot",
		"-display", "none", "-serial", "stdio",
		"-kernel", m.image.file("vmlinuz"), "-initrd", m.image.file("initrd"), "-append", "console=ttyS0 root=/dev/vda rw quiet panic=-1",
		// What the guest has not synced is lost with qemu. What qemu has
		// written stays with the host.
		"-drive", "file=/proc/self/fd/3,format=raw,if=virtio,cache=writeback",
		"-device", "virtio-serial", "-chardev", "socket,id=shell,fd=4", "-device", "virtserialport,chardev=shell,name=shell",
		"-device", "virtio-rng-pci")...)
	cmd.ExtraFiles = []*os.File{m.disk, guest}
	cmd.Stdout, cmd.Stderr = m.console, m.console
	if m.qemu, err = start(cmd); err != nil {
		m.Fatalf("start qemu: %v", err)
	}
	if end, limited := m.Deadline(); limited {
		m.last = time.AfterFunc(time.Until(end)-tidyWithin, m.qemu.kill)
	}
	watchdog := time.AfterFunc(bootWithin, m.qemu.kill)
	defer watchdog.Stop()
	a, err := m.script("systemctl is-system-running --wait; systemctl --failed --plain --no-legend", nil)
	if err != nil {
		m.Fatalf("the machine does not boot (within %s): %v\n%s", bootWithin, err, m.said())
	}
	if state, _, _ := strings.Cut(a.stdout, "\n"); state != "running" {
		m.Logf("the system is %s", a.stdout)
	}
	m.Logf("booted in %.1f s (%s)", time.Since(began).Seconds(), accel[1])
}

// in returns the machine for use in a subtest.
func (m *machine) in(t *testing.T) *machine {
	c := *m
	c.T = t
	return &c
}

// cut takes the power away.
func (m *machine) cut() {
	if m.last != nil {
		m.last.Stop()
	}
	m.qemu.kill()
}

// said returns the last that was seen on its console.
func (m *machine) said() []byte {
	m.console.mu.Lock()
	defer m.console.mu.Unlock()
	return tail(m.console.buf.Bytes(), 40)
}

// answer is what became of a script.
type answer struct {
	stdout, stderr string
	code           int
}

// errCut: the machine was gone before the script had ended.
var errCut = errors.New("the machine is off")

// script executes a script as root, in a bare environment, and calls line with
// each whole line that it prints, as it comes. Where the machine goes off
// meanwhile it returns errCut, after what the machine had said.
func (m *machine) script(text string, line func(string)) (a answer, err error) {
	word := rand.Text()
	order := fmt.Sprintf("%s %s\n", word, base64.StdEncoding.EncodeToString([]byte(text)))
	if _, err := io.WriteString(m.port, order); err != nil {
		return a, fmt.Errorf("%w: %w", errCut, err)
	}
	var stdout strings.Builder
	for {
		l, err := m.lines.ReadString('\n')
		if err != nil {
			a.stdout = stdout.String()
			return a, fmt.Errorf("%w: %w", errCut, err)
		}
		if end, ok := strings.CutPrefix(l, word+" "); ok {
			var stderr64 string
			// An empty stderr leaves nothing to scan.
			if n, err := fmt.Sscan(end, &a.code, &stderr64); n == 0 {
				return a, fmt.Errorf("the shell says %q: %w", l, err)
			}
			stderr, err := base64.StdEncoding.DecodeString(stderr64)
			if err != nil {
				return a, fmt.Errorf("the shell says %q: %w", l, err)
			}
			// The newline before the word is the shell's.
			a.stdout, a.stderr = strings.TrimSuffix(stdout.String(), "\n"), string(stderr)
			return a, nil
		}
		stdout.WriteString(l)
		if line != nil {
			line(strings.TrimSuffix(l, "\n"))
		}
	}
}

// as wraps a script to be executed as a user logged in, in its home.
func as(user, text string) string {
	text = strings.ReplaceAll(text, "'", `'\''`)
	return fmt.Sprintf(`u=%s; uid=$(id -u $u); home=$(getent passwd $u | cut -d: -f6); cd $home
exec setpriv --reuid $u --regid $u --init-groups env -i HOME=$home USER=$u LOGNAME=$u SHELL=/bin/bash LANG=C.UTF-8 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin XDG_RUNTIME_DIR=/run/user/$uid sh -c '%s'`, user, text)
}

// sh executes a script as a user; the machine must live.
func (m *machine) sh(user, text string) answer {
	m.Helper()
	a, err := m.script(as(user, text), nil)
	if err != nil {
		m.Fatalf("%s: %v\n%s", text, err, m.said())
	}
	return a
}

// accelerator returns qemu's arguments for KVM where that works, else for
// emulation.
func accelerator(t *testing.T) []string {
	t.Helper()
	kvmOnce.Do(func() { hasKVM = probe(t) })
	if hasKVM {
		return []string{"-accel", "kvm", "-cpu", "host"}
	}
	return []string{"-accel", "tcg,thread=multi", "-cpu", "max"}
}

var (
	kvmOnce sync.Once
	hasKVM  bool
)

// probe tells whether KVM works: in some virtual machines it can be opened, and
// then no guest gets anywhere. Its guest is a boot sector that ends qemu with code
// 33 = 0x10<<1 | 1.
func probe(t *testing.T) bool {
	t.Helper()
	sector := make([]byte, 512)
	copy(sector, []byte{0xb0, 0x10, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd}) // mov $0x10, %al; out %al, $0xf4; 1: hlt; jmp 1b
	copy(sector[510:], []byte{0x55, 0xaa})
	file := filepath.Join(t.TempDir(), "sector")
	if err := os.WriteFile(file, sector, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command("qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "16", "-nodefaults", "-no-user-config",
		"-display", "none", "-drive", "file="+file+",format=raw,if=ide", "-device", "isa-debug-exit,iobase=0xf4,iosize=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := start(cmd)
	if err != nil {
		t.Fatalf("start qemu: %v", err)
	}
	watchdog := time.AfterFunc(10*time.Second, p.kill)
	defer watchdog.Stop()
	<-p.ended
	if p.ProcessState.ExitCode() == 33 {
		return true
	}
	t.Logf("KVM does not work here: %v %s", p.err, tail(out.Bytes(), 3))
	return false
}
