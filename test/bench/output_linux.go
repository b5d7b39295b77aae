package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// printers are programs that print a million lines each.
var printers = []struct{ name, script string }{
	{"awk", `awk 'BEGIN { for (i = 1; i <= 1000000; i++) print "line", i }'`},
	{"perl", `perl -e 'for (1 .. 1000000) { print "line $_\n" }'`},
	{"perl, unbuffered", `perl -e '$| = 1; for (1 .. 1000000) { print "line $_\n" }'`},
	{"seq", `seq 1000000`},
}

// slowed compares how long a job takes that prints with how long it takes when it
// writes to a file instead. The job itself looks at the clock.
func (b *bench) slowed() error {
	for _, p := range printers {
		var printed, filed samples
		for range max(1, b.rounds/3) {
			for i, to := range []*samples{&printed, &filed} {
				took, err := b.timed(p.script + []string{"", " >" + b.dir + "/plain"}[i])
				if err != nil {
					return err
				}
				*to = append(*to, took)
			}
		}
		budget := 1.3
		if p.name == "seq" {
			budget = 0 // it does nothing but print
		}
		b.rows = append(b.rows, row{name: "a job that prints a million lines: " + p.name, unit: "ms", measured: printed,
			against: "into a file", with: filed, budget: budget})
	}
	return nil
}

// timed runs a job, and returns how long its script took.
func (b *bench) timed(script string) (float64, error) {
	store, result := b.dir+"/slowed", b.dir+"/took"
	timer := `begin=$(date +%s%N); ` + script + `; end=$(date +%s%N); echo $((end - begin)) >` + result
	if _, err := in(store, b.jobman, "run", "--name", "slowed", "--", "sh", "-c", timer).once(); err != nil {
		return 0, err
	}
	if _, err := in(store, b.jobman, "wait", "slowed").once(); err != nil {
		return 0, err
	}
	took, err := os.ReadFile(result)
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseFloat(strings.TrimSpace(string(took)), 64)
	if err != nil {
		return 0, err
	}
	// The pages of a million lines are not to be written back during the next.
	logs, err := filepath.Glob(store + "/data/jobs/*/*/runs/1/logs/log.*")
	for _, log := range logs {
		err = errors.Join(err, os.Remove(log))
	}
	return ns / 1e6, errors.Join(err, os.Remove(result))
}

// pumped is how long a pump takes for a million lines of ten million.
func (b *bench) pumped() error {
	var took samples
	for range max(1, b.rounds/7) {
		ms, err := b.timed("seq 10000000")
		if err != nil {
			return err
		}
		took = append(took, ms/10)
	}
	b.rows = append(b.rows, row{name: "a million lines of seq, until all are taken", unit: "ms", measured: took, budget: 1000, absolute: true})
	return nil
}

// lastLines times `logs -n 10` of a gigabyte.
func (b *bench) lastLines() error {
	store := b.dir + "/gigabyte"
	line := strings.Repeat("x", 956) // and 44 before it
	if _, err := in(store, b.jobman, "run", "--name", "big", "--", "sh", "-c", "yes "+line+" | head -n 1000000").once(); err != nil {
		return err
	}
	if _, err := in(store, b.jobman, "wait", "big").once(); err != nil {
		return err
	}
	took, err := b.pairs(5*time.Millisecond, in(store, b.jobman, "logs", "-n", "10", "big"), command{nil, []string{"empty"}})
	if err != nil {
		return err
	}
	b.rows = append(b.rows, row{name: "logs -n 10, of 1 GB", unit: "ms", measured: took[0], against: "an empty Go program", with: took[1], budget: 50, absolute: true})
	return os.RemoveAll(store)
}

// followed is how long a line takes from the job's shell to whoever follows.
func (b *bench) followed() (err error) {
	store, fifo := b.dir+"/followed", b.dir+"/lines"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		return err
	}
	if _, err := in(store, b.jobman, "run", "--name", "echoes", "--", "sh", "-c", `while read -r line; do echo "$line"; done <`+fifo).once(); err != nil {
		return err
	}
	to, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	cmd := exec.Command(b.jobman, "logs", "--raw", "-f", "echoes")
	cmd.Env = append(os.Environ(), "JOBMAN_DB="+store)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cmd.Process.Kill()); _ = cmd.Wait() }()
	from := bufio.NewReader(out)
	var took samples
	for n := range b.rounds + 1 {
		begin := time.Now()
		if _, err := fmt.Fprintln(to, n); err != nil {
			return err
		}
		if _, err := from.ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n > 0 { // the first starts the pump
			took = append(took, milliseconds(time.Since(begin)))
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.rows = append(b.rows, row{name: "a line is written -> logs --follow shows it", unit: "ms", measured: took, budget: 100, absolute: true})
	return nil
}
