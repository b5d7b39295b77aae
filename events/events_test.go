package events

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

func TestMain(m *testing.M) {
	if file := os.Getenv("EVENTS_WRITE_TO"); file != "" {
		writeMany(Log(file))
		return
	}
	os.Exit(m.Run())
}

func newLog(t *testing.T) Log {
	t.Helper()
	return Log(filepath.Join(t.TempDir(), Name))
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	log := newLog(t)
	wrote := []Event{
		New(Info, "submitted", "backend", "fork", "nothing", "", "never", time.Time{}),
		New(Warn, "condition-error", "target", "a b=\"c\"\\\n\x1b[31m\xff", "n", 3, "at", time.Unix(1, 2000)),
		New(Error, "error", "error", errors.Join(errors.New("one"), errors.New("two"))),
		New(Debug, "long", "value", strings.Repeat("ä", maxText)),
	}
	log.Add(wrote[:2]...)
	log.Add(wrote[2:]...)
	read, err := log.Read()
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != len(wrote) {
		t.Fatalf("%d events were read, want %d", len(read), len(wrote))
	}
	for i, e := range read {
		want := wrote[i]
		want.Time = want.Time.Truncate(time.Microsecond)
		if !reflect.DeepEqual(e, want) {
			t.Errorf("read %+v, want %+v", e, want)
		}
	}
	if got := read[2].Fields[0].Value; got != "one; two" {
		t.Errorf("a joined error is told as %q", got)
	}
	b, err := os.ReadFile(string(log))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsFunc(b, func(r rune) bool { return r == '\x1b' || r == utf8.RuneError }) || strings.Count(string(b), "\n") != len(wrote) {
		t.Errorf("the file holds control characters: %q", b)
	}
}

func TestWhatIsNoEventIsKeptAsText(t *testing.T) {
	log := newLog(t)
	log.Add(New(Info, "one"))
	f, err := os.OpenFile(string(log), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "panic: at last\n\ntime=2026-11-23T08:39:55.043764Z level=in")
	f.Close()
	log.Add(New(Info, "two"))
	read, err := log.Read()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range read {
		got = append(got, e.What+e.Text)
	}
	want := []string{"one", "panic: at last", "time=2026-11-23T08:39:55.043764Z level=in", "two"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
}

func TestWhereNothingCanBeWrittenNothingFails(t *testing.T) {
	log := Log(filepath.Join(t.TempDir(), "gone", Name))
	log.Add(New(Info, "lost"))
	if read, err := log.Read(); err != nil || len(read) > 0 {
		t.Errorf("read %v, %v", read, err)
	}
}

// What many processes append to one file at once.
const (
	writers      = 8
	perWriter    = 300
	goroutines   = 4
	perGoroutine = perWriter / goroutines
)

func writeMany(log Log) {
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for i := range perGoroutine {
				log.Add(New(Info, "first", "n", g*perGoroutine+i), New(Info, "second", "n", g*perGoroutine+i))
			}
		})
	}
	all.Wait()
}

func TestLinesOfManyProcessesNeverMix(t *testing.T) {
	log := newLog(t)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "EVENTS_WRITE_TO="+string(log))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	read, err := log.Read()
	if err != nil {
		t.Fatal(err)
	}
	// It is more than fits into one file and less than into two: nothing is lost.
	seen := map[string]int{}
	var before Event
	for i, e := range read {
		if e.Text != "" {
			t.Fatalf("line %d is no event: %q", i, e.Text)
		}
		seen[strconv.Itoa(e.PID)+e.What+e.Fields[0].Value]++
		if i%2 == 1 && (e.PID != before.PID || e.Fields[0] != before.Fields[0]) {
			t.Fatalf("line %d: two lines of one append are apart", i)
		}
		before = e
	}
	if len(seen) != 2*writers*perWriter || len(read) != len(seen) {
		t.Errorf("%d events, %d different ones; want %d", len(read), len(seen), 2*writers*perWriter)
	}
	if _, err := os.Stat(string(log) + older); err != nil {
		t.Errorf("the file was not renamed: %v", err)
	}
}

func TestALogIsBounded(t *testing.T) {
	log := newLog(t)
	const n = 20000
	for i := range n {
		log.Add(New(Info, "run-ended", "run", i, "message", "exited with code 0"))
	}
	var size int64
	for _, name := range []string{string(log), string(log) + older} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 2*maxSize+1000 {
		t.Errorf("%d events take %d bytes", n, size)
	}
	read, err := log.Read()
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range read {
		if want := strconv.Itoa(n - len(read) + i); e.Fields[0].Value != want {
			t.Fatalf("event %d is of run %s, want %s", i, e.Fields[0].Value, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("time=2026-11-23T08:39:55.043764Z level=info by=exec pid=1 event=x a=\"b c\"")
	f.Fuzz(func(t *testing.T, line string) {
		for _, e := range parse(line) {
			if e.Text == "" && (e.What == "" || e.Time.IsZero()) {
				t.Errorf("%q became %+v", line, e)
			}
		}
	})
}
