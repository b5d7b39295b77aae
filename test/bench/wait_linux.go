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
	"time"

	"github.com/godbus/dbus/v5"
)

// lines returns a file of jobs for `run --from`.
func (b *bench) lines(name string, n int, line func(int) string) (string, error) {
	var text strings.Builder
	for i := range n {
		text.WriteString(line(i))
		text.WriteByte('\n')
	}
	file := filepath.Join(b.dir, name)
	return file, os.WriteFile(file, []byte(text.String()), 0o600)
}

// waitingJobs is how many jobs wait at a time.
const waitingJobs = 1000

// waiting measures what a waiting job takes of memory, in all processes of the
// user: of jobman's there should be one at most.
func (b *bench) waiting() error {
	for k, kind := range []struct {
		name string
		line func(int) string
	}{
		{"a job that waits for a time of its own, memory", func(i int) string {
			return fmt.Sprintf(`{"command":["true"],"wait":{"timedelta":"%dms"}}`, 3_600_000+i)
		}},
		{"a job that waits for a file, memory", func(i int) string {
			return fmt.Sprintf(`{"command":["sh","-c",%q],"wait":{"file":%q}}`, fmt.Sprintf("date +%%s%%N > %s/waited%d", b.dir, i), fmt.Sprintf("%s/awaited%d", b.dir, i))
		}},
	} {
		const n = waitingJobs
		db := filepath.Join(b.dir, "waiting"+strconv.Itoa(len(b.rows)))
		file, err := b.lines("waiting.jsonl", n, kind.line)
		if err != nil {
			return err
		}
		time.Sleep(pause)
		before, err := proportional()
		if err != nil {
			return err
		}
		if _, err := in(db, b.jobman, "run", "--from", file).once(); err != nil {
			return err
		}
		time.Sleep(time.Second)
		after, err := proportional()
		if err != nil {
			return err
		}
		if k == 1 {
			if err := b.watched(); err != nil {
				return err
			}
		}
		if _, err := in(db, b.jobman, "kill", "--all", "-q").once(); err != nil {
			return err
		}
		b.rows = append(b.rows, row{name: kind.name, unit: "KiB", measured: samples{(after - before) / n}, budget: 10, absolute: true, size: true})
	}
	return nil
}

// watched makes sure that jobs which wait for files notice them, the first ones and the
// last: long before the safety net comes along, which would.
func (b *bench) watched() error {
	for _, i := range []int{0, waitingJobs / 2, waitingJobs - 1} {
		if err := os.WriteFile(fmt.Sprintf("%s/awaited%d", b.dir, i), nil, 0o600); err != nil {
			return err
		}
		if _, err := stampIn(fmt.Sprintf("%s/waited%d", b.dir, i)); err != nil {
			return fmt.Errorf("job %d of %d does not notice its file: %w", i+1, waitingJobs, err)
		}
	}
	return nil
}

// proportional is the proportional set size, in KiB, of all processes of this
// user but this one.
func proportional() (kib float64, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/smaps_rollup")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		if strings.HasPrefix(file, fmt.Sprintf("/proc/%d/", os.Getpid())) {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			continue // another's, or gone
		}
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "Pss:"); ok {
				n, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 64)
				kib += n
			}
		}
	}
	return kib, nil
}

// event measures the time from an event to the command that waited for it.
func (b *bench) event() error {
	db := b.dir + "/event"
	kinds := []struct {
		name    string
		options func(i int) []string
		happen  func(i int) (time.Time, error)
	}{
		{"a file appears -> the command runs", func(i int) []string {
			return []string{"--wait.file", fmt.Sprintf("%s/appears%d", b.dir, i)}
		}, func(i int) (time.Time, error) {
			now := time.Now()
			return now, os.WriteFile(fmt.Sprintf("%s/appears%d", b.dir, i), nil, 0o600)
		}},
		{"a time comes -> the command runs", func(int) []string {
			return []string{"--wait.datetime", fmt.Sprintf("@%d", time.Now().Unix()+2)}
		}, nil},
		{"a job ends -> the command runs that waited for it", func(i int) []string {
			return []string{"--wait.job", fmt.Sprint("first", i)}
		}, nil},
	}
	for k, kind := range kinds {
		var took samples
		for i := range b.rounds {
			out := fmt.Sprintf("%s/out%d.%d", b.dir, k, i)
			due := time.Unix(time.Now().Unix()+2, 0)
			if k == 2 {
				first := in(db, b.jobman, "run", "-q", "--name", fmt.Sprint("first", i), "--", "sh", "-c", fmt.Sprintf("sleep 0.5; date +%%s%%N > %s.ended", out))
				if _, err := first.once(); err != nil {
					return err
				}
			}
			argv := append([]string{b.jobman, "run", "-q"}, kind.options(i)...)
			argv = append(argv, "--", "sh", "-c", "date +%s%N > "+out+".new; mv "+out+".new "+out)
			if _, err := in(db, argv...).once(); err != nil {
				return err
			}
			began := due
			if kind.happen != nil {
				time.Sleep(pause)
				var err error
				if began, err = kind.happen(i); err != nil {
					return err
				}
			}
			at, err := stampIn(out)
			if err != nil {
				return err
			}
			if k == 2 {
				if began, err = stampIn(out + ".ended"); err != nil {
					return err
				}
			}
			took = append(took, milliseconds(at.Sub(began)))
		}
		b.rows = append(b.rows, row{name: kind.name, unit: "ms", measured: took, budget: 50, absolute: true})
	}
	return nil
}

// stampIn waits for a file and reads the nanoseconds in it.
func stampIn(file string) (time.Time, error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return time.Unix(0, n), err
	}
	return time.Time{}, fmt.Errorf("%s did not come", file)
}

// many measures many jobs submitted by one process, to the end of the last one,
// against as many bare units that are started without waiting between them.
func (b *bench) many() error {
	n := b.loop
	file, err := b.lines("many.jsonl", n, func(int) string { return `{"command":["true"]}` })
	if err != nil {
		return err
	}
	var ours, theirs samples
	const rounds = 5
	for round := range rounds + 1 {
		db := fmt.Sprintf("%s/from%d", b.dir, round)
		took, _, err := b.block(1, in(db, b.jobman, "run", "--from", file), b.allEnded(db, n))
		if err != nil {
			return err
		}
		time.Sleep(4 * pause)
		bare, err := bareUnits(n)
		if err != nil {
			return err
		}
		time.Sleep(4 * pause)
		if round > 0 {
			ours, theirs = append(ours, took/float64(n)), append(theirs, bare/float64(n))
		}
	}
	b.rows = append(b.rows, row{name: fmt.Sprintf("run --from, %d x true, to the last one's end, a job", n), unit: "ms", measured: ours,
		against: "bare units of systemd, pipelined", with: theirs, budget: 3.3})
	return nil
}

// allEnded tells that there are n jobs and all have ended.
func (b *bench) allEnded(store string, n int) func() (bool, error) {
	ended := b.jobmanEnded(store)
	return func() (bool, error) {
		files, err := filepath.Glob(store + "/data/jobs/??/*/state")
		if err != nil || len(files) < n {
			return false, err
		}
		return ended()
	}
}

// bareUnits starts n services that end at once, on one connection, and returns
// how many milliseconds it took until all have gone.
func bareUnits(n int) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	bus, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	defer bus.Close()
	manager := bus.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	type property struct {
		Name  string
		Value dbus.Variant
	}
	type command struct {
		Path   string
		Args   []string
		Ignore bool
	}
	type auxiliary struct {
		Name       string
		Properties []property
	}
	begin := time.Now()
	calls := make(chan *dbus.Call, n)
	for i := range n {
		manager.GoWithContext(ctx, "org.freedesktop.systemd1.Manager.StartTransientUnit", 0, calls,
			fmt.Sprintf("run-bare-%d-%d.service", begin.UnixNano(), i), "fail",
			[]property{{"ExecStart", dbus.MakeVariant([]command{{"/bin/true", []string{"true"}, false}})}}, []auxiliary(nil))
	}
	for range n {
		if call := <-calls; call.Err != nil {
			return 0, call.Err
		}
	}
	for {
		gone, err := bareGone()
		if err != nil || gone {
			return milliseconds(time.Since(begin)), err
		}
		if ctx.Err() != nil {
			return 0, errors.New("the units don't end")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func bareGone() (bool, error) {
	out, err := exec.Command("systemctl", "--user", "list-units", "--plain", "--no-legend", "run-bare-*").Output()
	return len(bytes.TrimSpace(out)) == 0, err
}
