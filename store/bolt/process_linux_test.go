package bolt

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobman/job"
	"jobman/store"
	"jobman/store/storetest"
)

// children are what this test binary does as a process of its own:
// BOLT_CHILD names it, its argument is the store.
var children = map[string]func(*Store) error{
	"work":  work,
	"churn": churn,
	"hold":  hold,
	"umask": submitWithoutUmask,
	"full":  onFullDisk,
	"ro":    onReadOnlyDisk,
}

func TestMain(m *testing.M) {
	name := os.Getenv("BOLT_CHILD")
	if name == "" {
		// Nothing here needs a disk, which makes most of the time that it takes:
		// kill -9 spares the page cache.
		var shm unix.Statfs_t
		if err := unix.Statfs("/dev/shm", &shm); err == nil && os.Getenv("TMPDIR") == "" && shm.Bavail*uint64(shm.Bsize) > 1<<29 {
			_ = os.Setenv("TMPDIR", "/dev/shm")
		}
		os.Exit(m.Run())
	}
	s, err := Open(os.Args[1], Options{Log: func(err error) { fmt.Fprintln(os.Stderr, err) }})
	if err == nil {
		err = children[name](s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(t *testing.T, name, root string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], root)
	cmd.Env = append(os.Environ(), "BOLT_CHILD="+name, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}

const sharedID job.ID = "5ba2ed00-0000-4000-8000-000000000000"

// work is some of everything, its result acknowledged on stdout.
func work(s *Store) error {
	ctx := context.Background()
	var slowest time.Duration
	timed := func(do func() error) error {
		begin := time.Now()
		err := do()
		slowest = max(slowest, time.Since(begin))
		return err
	}
	for range 5 {
		j := storetest.Job("name", "group")
		steps := []func() error{
			func() error { return s.Submit(ctx, j, []byte("A=1\x00"), false) },
			func() error {
				return s.Update(ctx, []job.ID{sharedID, j.ID}, func(j *job.Job) error { j.SuccessCount++; return nil })
			},
			func() error {
				jobs, err := s.Query(ctx, store.Filter{ID: j.ID, Active: true})
				if err == nil && len(jobs) != 1 {
					err = fmt.Errorf("%d jobs %s", len(jobs), j.ID)
				}
				return err
			},
			func() error { return s.Update(ctx, []job.ID{j.ID}, complete) },
			func() error { _, err := s.Query(ctx, store.Filter{Limit: 20}); return err },
		}
		for _, step := range steps {
			if err := timed(step); err != nil {
				return err
			}
		}
		fmt.Println(j.ID)
	}
	fmt.Println("slowest", slowest)
	return nil
}

func TestManyProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	shared := storetest.Job("shared", "group")
	shared.ID = sharedID
	submit(t, s, shared)
	const processes = 20
	var all sync.WaitGroup
	outputs := make([]string, processes)
	for i := range processes {
		cmd := child(t, "work", string(s.tree))
		all.Go(func() {
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("process %d: %v", i, err)
			}
			outputs[i] = string(out)
		})
	}
	all.Wait()
	acknowledged := 0
	var slowest time.Duration
	for word := range strings.FieldsSeq(strings.Join(outputs, "")) {
		if d, err := time.ParseDuration(word); err == nil {
			slowest = max(slowest, d)
		}
		if !job.IsID(word) {
			continue
		}
		acknowledged++
		j, err := s.Get(t.Context(), job.ID(word), 1)
		if err != nil || !j.Completed() || j.SuccessCount != 1 {
			t.Errorf("job %s: %+v, %v", word, j, err)
			continue
		}
		mirrored(t, s, j.ID)
	}
	j, err := s.Get(t.Context(), sharedID, 1)
	if err != nil || j.SuccessCount != acknowledged || acknowledged != processes*5 {
		t.Errorf("%d updates, %d acknowledged, %v", j.SuccessCount, acknowledged, err)
	}
	mirrored(t, s, sharedID)
	t.Logf("the slowest transaction took %v", slowest)
}

// churn submits, completes and deletes jobs until it is killed, and says so.
func churn(s *Store) error {
	ctx := context.Background()
	for i := 0; ; i++ {
		j := storetest.Job("name", "group")
		if err := s.Submit(ctx, j, make([]byte, i%5000), false); err != nil {
			return err
		}
		fmt.Println("submitted", j.ID)
		if i%3 == 0 {
			continue
		}
		if err := s.Update(ctx, []job.ID{j.ID}, complete); err != nil {
			return err
		}
		fmt.Println("completed", j.ID)
		if i%3 == 1 {
			continue
		}
		fmt.Println("deleting", j.ID)
		if _, err := s.Delete(ctx, []job.ID{j.ID}); err != nil {
			return err
		}
		fmt.Println("deleted", j.ID)
	}
}

// TestKilledProcessesLoseNothing kills writers wherever they are. What they had
// acknowledged must be there, and the index be sound.
func TestKilledProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	for range 25 {
		var all sync.WaitGroup
		said := make([]string, 3)
		for i := range said {
			cmd := child(t, "churn", string(s.tree))
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				said[i] = killAtRandom(cmd, out)
				_ = cmd.Wait() // it was killed
			})
		}
		all.Wait()
		check(t, s)
		for _, lines := range said {
			verify(t, s, lines)
		}
	}
}

// killAtRandom lets a process say some lines, kills it a moment later, and
// returns the whole lines that it said.
func killAtRandom(cmd *exec.Cmd, out io.Reader) (said string) {
	lines := bufio.NewReader(out)
	left := rand.IntN(10)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return said
		}
		said += line
		if left--; left == 0 {
			time.Sleep(rand.N(3 * time.Millisecond)) // where it is then is the question
		}
		if left <= 0 {
			_ = cmd.Process.Kill()
		}
	}
}

func verify(t *testing.T, s *Store, said string) {
	t.Helper()
	last := map[job.ID]string{}
	for line := range strings.Lines(said) {
		what, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		last[job.ID(id)] = what
	}
	for id, what := range last {
		jobs, err := s.Query(t.Context(), store.Filter{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case what == "deleted" && len(jobs) != 0:
			t.Errorf("job %s was deleted, and is there", id)
		case what == "submitted" && len(jobs) == 0:
			// killed between its deletion and saying so, or lost; it says
			// "deleting" first
			t.Errorf("job %s was submitted, and is lost", id)
		case what == "completed" && (len(jobs) == 0 || !jobs[0].Completed()):
			t.Errorf("job %s was completed, and is %+v", id, jobs)
		}
	}
}

// hold takes the lock, as a writer, until its stdin is closed.
func hold(s *Store) error {
	unlock, err := s.lock(context.Background(), true)
	if err != nil {
		return err
	}
	defer unlock()
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// held returns a store whose lock another process holds, that process, and what
// makes it let go.
func held(t *testing.T) (s *Store, pid int, release func()) {
	t.Helper()
	s = fresh(t)
	submit(t, s, storetest.Job("name", "group"))
	cmd := child(t, "hold", string(s.tree))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	release = func() { once.Do(func() { _ = in.Close(); _ = cmd.Wait() }) }
	t.Cleanup(release)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return s, cmd.Process.Pid, release
}

// submitWithoutUmask shows that the modes of files don't depend on the umask.
func submitWithoutUmask(s *Store) error {
	syscall.Umask(0)
	return s.Submit(context.Background(), storetest.Job("name", "group"), []byte("SECRET=1\x00"), false)
}

func TestNobodyElseMayReadTheStore(t *testing.T) {
	root := filepath.Join(t.TempDir(), "parent", ".db")
	if out, err := child(t, "umask", root).Output(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check(t, open(t, root))
	err := filepath.WalkDir(filepath.Dir(root), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
