package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"jobman/job"
	"jobman/store/bolt"
	"jobman/store/storetest"
	"jobman/store/tree"
)

// bench measures; it adds rows.
type bench struct {
	settings
	dir  string
	rows []row
}

// pause lets what a process set going come to its end.
const pause = 250 * time.Millisecond

// measure does all that is selected, and prints the table.
func (s settings) measure() (err error) {
	b := &bench{settings: s}
	if b.jobman, err = exec.LookPath("jobman"); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"run", b.submit},
		{"full", b.full},
		{"list", b.list},
		{"version", b.version},
		{"loop", b.throughput},
		{"from", b.many},
		{"event", b.event},
		{"waiting", b.waiting},
		{"pump", b.pump},
		{"slowed", b.slowed},
		{"lines", b.pumped},
		{"tail", b.lastLines},
		{"follow", b.followed},
		{"size", b.size},
	} {
		if !s.only.MatchString(part.name) {
			continue
		}
		if err := part.do(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return printRows(b.rows)
}

// command is a process to be timed.
type command struct {
	env  []string
	argv []string
}

func in(store string, argv ...string) command {
	return command{[]string{"JOBMAN_DB=" + store}, argv}
}

// once runs a command, and returns how many milliseconds it took.
func (c command) once() (float64, error) {
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	begin := time.Now()
	err := cmd.Run()
	took := milliseconds(time.Since(begin))
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(c.argv, " "), err, &stderr)
	}
	return took, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// pairs times commands in turns.
func (b *bench) pairs(pause time.Duration, commands ...command) ([]samples, error) {
	took := make([]samples, len(commands))
	for round := range b.rounds + 1 {
		for i, c := range commands {
			t, err := c.once()
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first warms up
				took[i] = append(took[i], t)
			}
			time.Sleep(pause)
		}
	}
	return took, nil
}

var systemdRun = command{nil, []string{"systemd-run", "--user", "-q", "true"}}

func (b *bench) submit() error {
	took, err := b.pairs(pause, in(b.dir+"/a", b.jobman, "run", "--", "true"), systemdRun)
	if err != nil {
		return err
	}
	b.rows = append(b.rows, row{name: "run -- true", unit: "ms", measured: took[0],
		against: "systemd-run --user -q true", with: took[1], budget: 0.8})
	return nil
}

func (b *bench) full() error {
	full := b.dir + "/full"
	if err := fill(full, 10_000, 1_000, true); err != nil {
		return err
	}
	took, err := b.pairs(pause, in(full, b.jobman, "run", "--", "true"), in(b.dir+"/empty", b.jobman, "run", "--", "true"))
	if err != nil {
		return err
	}
	b.rows = append(b.rows, row{name: "run -- true, among 10,000 done and 1,000 active", unit: "ms", measured: took[0],
		against: "the same, alone", with: took[1], budget: 1.2})
	return nil
}

func (b *bench) list() error {
	many := b.dir + "/many"
	if err := fill(many, 100_000, 0, false); err != nil {
		return err
	}
	took, err := b.pairs(20*time.Millisecond, in(many, b.jobman, "list"), command{nil, []string{"empty"}})
	if err != nil {
		return err
	}
	b.rows = append(b.rows, row{name: "list, 100,000 jobs", unit: "ms", measured: took[0],
		against: "an empty Go program", with: took[1], budget: 20, absolute: true})
	for name, line := range map[string][]string{
		"show <TAB>":        {"show", ""},
		"show 3f2<TAB>":     {"show", "3f2"},
		"run --group <TAB>": {"run", "--group", ""},
	} {
		took, err := b.pairs(20*time.Millisecond, in(many, append([]string{b.jobman, "__complete", "zsh", ""}, line...)...), command{nil, []string{"empty"}})
		if err != nil {
			return err
		}
		b.rows = append(b.rows, row{name: name + ", 100,000 jobs", unit: "ms", measured: took[0],
			against: "an empty Go program", with: took[1], budget: 50, absolute: true})
	}
	return nil
}

func (b *bench) version() error {
	took, err := b.pairs(5*time.Millisecond, command{nil, []string{b.jobman, "--version"}}, command{nil, []string{"empty"}})
	if err != nil {
		return err
	}
	b.rows = append(b.rows, row{name: "--version", unit: "ms", measured: took[0],
		against: "an empty Go program", with: took[1], budget: 5, absolute: true})
	return nil
}

// fill makes a store of completed and active jobs. They are another machine's, so
// that nothing looks after the active ones, which have no units.
func fill(dir string, done, active int, files bool) error {
	s, err := bolt.Open(dir, bolt.Options{})
	if err != nil {
		return err
	}
	env := make([]byte, 3000)
	begin := time.Now().UTC().Add(-24 * time.Hour)
	const batch = 1000
	for at := 0; at < done+active; at += batch {
		var jobs []*job.Job
		for i := at; i < min(at+batch, done+active); i++ {
			j := storetest.Job(fmt.Sprintf("job %d", i%1000), fmt.Sprintf("group %d", i%10))
			j.SubmittedAt = begin.Add(time.Duration(i) * time.Millisecond)
			if i < done {
				storetest.Complete(j, job.Success)
			}
			jobs = append(jobs, j)
		}
		if err := s.Import(context.Background(), jobs, env); err != nil {
			return err
		}
		for _, j := range jobs {
			if !files {
				break
			}
			if err := tree.Tree(dir).WriteJob(j.ID, &j.Spec, env); err != nil {
				return err
			}
			if err := tree.Tree(dir).WriteState(j); err != nil {
				return err
			}
		}
	}
	return nil
}

// throughput runs jobs one after another, in blocks of each kind in turns, until
// the last of a block is over. A block's figure is that of one job.
func (b *bench) throughput() error {
	const blocks = 10
	n := max(1, b.loop/blocks)
	var ours, theirs, ourCPU, theirCPU samples
	for round := range blocks + 1 {
		size := n
		if round == 0 { // warms up
			size = 3
		}
		took, cpu, err := b.block(size, in(b.dir+"/loop", b.jobman, "run", "-q", "--", "true"), b.jobmanEnded(b.dir+"/loop"))
		if err != nil {
			return err
		}
		time.Sleep(2 * pause)
		took2, cpu2, err := b.block(size, systemdRun, unitsGone)
		if err != nil {
			return err
		}
		time.Sleep(pause)
		if round > 0 {
			ours, theirs = append(ours, took), append(theirs, took2)
			ourCPU, theirCPU = append(ourCPU, cpu), append(theirCPU, cpu2)
		}
	}
	b.rows = append(b.rows,
		row{name: fmt.Sprintf("%d x run -- true, to the last one's end, a job", n*blocks), unit: "ms", measured: ours,
			against: "the same of systemd-run", with: theirs, budget: 1.5},
		row{name: "CPU time of that, a job", unit: "ms", measured: ourCPU, against: "the same of systemd-run", with: theirCPU})
	return nil
}

func (b *bench) block(n int, c command, over func() (bool, error)) (took, cpu float64, err error) {
	cpu -= spent()
	begin := time.Now()
	for range n {
		if _, err := c.once(); err != nil {
			return 0, 0, err
		}
	}
	for {
		yes, err := over()
		if err != nil {
			return 0, 0, err
		}
		if yes {
			break
		}
		if time.Since(begin) > 5*time.Minute {
			return 0, 0, errors.New("the jobs don't end")
		}
		time.Sleep(5 * time.Millisecond)
	}
	took = milliseconds(time.Since(begin))
	time.Sleep(pause)
	cpu += spent()
	return took / float64(n), cpu / float64(n), nil
}

// spent is the CPU time, in milliseconds, of the user's manager with all that
// runs below it, and of this process's children.
func spent() float64 {
	var children syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children); err != nil {
		return 0
	}
	ms := float64(children.Utime.Nano()+children.Stime.Nano()) / 1e6
	stat, err := os.ReadFile(managerGroup() + "/cpu.stat")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(stat)) {
		if usec, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(usec), 64)
			ms += n / 1e3
		}
	}
	return ms
}

// managerGroup is the control group of the user's manager.
func managerGroup() string {
	uid := os.Getuid()
	return fmt.Sprintf("/sys/fs/cgroup/user.slice/user-%d.slice/user@%[1]d.service", uid)
}

// unitsGone tells that no unit of systemd-run is left.
func unitsGone() (bool, error) {
	left, err := filepath.Glob(managerGroup() + "/app.slice/run-*.service")
	return len(left) == 0, err
}

// jobmanEnded tells that all jobs of a store are recorded as over. It asks no
// jobman: a job's state file is written when its end is committed.
func (b *bench) jobmanEnded(store string) func() (bool, error) {
	seen := map[string]bool{}
	return func() (bool, error) {
		files, err := filepath.Glob(store + "/data/jobs/??/*/state")
		if err != nil {
			return false, err
		}
		for _, f := range files {
			if seen[f] {
				continue
			}
			state, err := os.ReadFile(f)
			if err != nil {
				return false, err
			}
			if !bytes.Contains(state, []byte(`"result":"`)) {
				return false, nil
			}
			seen[f] = true
		}
		return true, nil
	}
}

// pump looks at the pump of a job that prints as fast as it can, and at that of
// one that prints now and then.
func (b *bench) pump() error {
	var most samples
	for _, script := range []string{"yes | head -n 20000000; sleep 2", "for i in $(seq 40); do echo $i; sleep 0.05; done; sleep 2"} {
		if _, err := in(b.dir+"/pump", b.jobman, "run", "--", "sh", "-c", script).once(); err != nil {
			return err
		}
		kib := 0.0
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			kib = max(kib, residentPump())
		}
		if kib == 0 {
			return errors.New("there was no pump")
		}
		most = append(most, kib/1024)
	}
	b.rows = append(b.rows, row{name: "pump, most resident memory", unit: "MB", measured: samples{max(most[0], most[1])}, budget: 8, absolute: true, size: true})
	return nil
}

// residentPump is the most that a pump ever had, in KiB.
func residentPump() (most float64) {
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0
	}
	for _, file := range commands {
		argv, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(argv, []byte("\x00pump\x00/")) {
			continue
		}
		status, err := os.ReadFile(filepath.Dir(file) + "/status")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kib, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 64)
				most = max(most, kib)
			}
		}
	}
	return most
}

func (b *bench) size() error {
	info, err := os.Stat(b.jobman)
	if err != nil {
		return err
	}
	b.rows = append(b.rows, row{name: "the program", unit: "MB", measured: samples{float64(info.Size()) / 1e6}, budget: 15, absolute: true, size: true})
	return nil
}
