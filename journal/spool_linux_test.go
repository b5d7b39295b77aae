package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// died is what a process that is killed here panics with.
type died struct{}

// mortal is a pump that can be killed wherever it leaves something behind: where
// the spool has a hook, and in the middle of a write.
type mortal struct {
	*fifos
	random *rand.Rand
	opt    Options
	full   bool // writes fail at times

	pump *pump
	left int            // hooks until it dies; less than 0: it doesn't
	at   map[string]int // where it died
}

func newMortal(f *fifos, random *rand.Rand, at map[string]int) *mortal {
	m := &mortal{fifos: f, random: random, left: -1, at: at}
	m.opt = Options{Timestamps: random.IntN(2) == 0, Hold: []time.Duration{-1, time.Hour}[random.IntN(2)], Spool: filepath.Join(filepath.Dir(f.logs), "spool")}
	if random.IntN(2) == 0 {
		m.opt.MaxBytes = 1 + random.Int64N(30_000)
	}
	m.opt.hit, m.opt.write = m.hit, m.writes
	return m
}

func (m *mortal) hit(where string) {
	if m.left--; m.left == 0 {
		m.at[where]++
		panic(died{})
	}
}

func (m *mortal) writes(f *os.File, b []byte) (int, error) {
	m.hit("write")
	if m.left == 1 && m.random.IntN(2) == 0 || m.full && m.random.IntN(3) == 0 {
		n, err := f.Write(b[:m.random.IntN(len(b)+1)])
		m.hit("torn")
		return n, errors.Join(err, errFull)
	}
	n, err := f.Write(b)
	m.hit("written")
	return n, err
}

// live does something with a pump, started if there is none. It may die of it.
func (m *mortal) live(create bool, do func(*pump)) (survived bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(died); !ok {
				panic(r)
			}
			m.bury()
		}
	}()
	if m.left <= 0 && m.random.IntN(3) == 0 {
		m.left = 1 + m.random.IntN(12)
	}
	if m.pump == nil {
		p, err := newPump(context.Background(), m.logs, m.sources(), m.opt)
		if err != nil {
			m.t.Fatal(err)
		}
		m.pump, p.log.create = p, create
	}
	do(m.pump)
	return true
}

// bury closes what the kernel closes of a killed process.
func (m *mortal) bury() {
	log := m.pump.log
	for _, f := range []*os.File{log.lock.file, log.file} {
		if f != nil {
			f.Close()
		}
	}
	if log.spool != nil {
		log.spool.close()
	}
	m.pump, m.left = nil, -1
}

// rounds is what a pump does when bytes have come.
func (m *mortal) rounds(p *pump) {
	ctx := m.t.Context()
	if p.log.spool.has() && p.log.acquire(ctx) != nil {
		m.t.Fatal("no lock")
	}
	for range 1 + m.random.IntN(3) {
		if err := p.intake.wait(0); err != nil {
			m.t.Fatal(err)
		}
		p.log.retry = time.Time{} // as if it were later
		p.round(ctx)
		if m.random.IntN(2) == 0 {
			p.letGo(time.Now().Add(2 * time.Hour)) // as above
		}
	}
	if m.random.IntN(5) == 0 {
		m.leave(p)
	}
}

// leave is the end of a pump that was idle, or told to stop.
func (m *mortal) leave(p *pump) {
	p.takeRest(m.t.Context())
	if err := p.close(); err != nil && !errors.Is(err, errFull) {
		m.t.Fatal(err)
	}
	m.left, m.pump = -1, nil
}

// ended is the Drain at the run's end.
func (m *mortal) ended() {
	for drained := false; !drained; {
		drained = m.live(false, func(p *pump) {
			if p.log.acquire(m.t.Context()) != nil {
				m.t.Fatal("no lock")
			}
			m.leave(p)
		})
	}
}

// print writes something random, as far as there is room in the FIFO.
func (m *mortal) print(want *[numStreams][]byte, n int) {
	s := Stream(m.random.IntN(2))
	text := fmt.Appendf(nil, "%d%s", n, strings.Repeat(".", m.random.IntN([]int{1, 10, 1000, 30_000}[m.random.IntN(4)])))
	switch m.random.IntN(5) {
	case 0: // goes on
	case 1:
		text = bytes.ReplaceAll(text, []byte(".."), []byte("\n"))
	case 2:
		text = append(text, "\n\n\x00\r\nstdout: x\n"...)
	default:
		text = append(text, '\n')
	}
	if waiting, err := Pending(m.held[s]); err != nil || waiting+len(text) > 32<<10 {
		return
	}
	m.write(s, string(text))
	want[s] = append(want[s], text...)
}

func TestAPumpKilledAnywhereLosesNothingAndRepeatsNothing(t *testing.T) {
	at := map[string]int{}
	for seed := range uint64(120) {
		m := newMortal(newFIFOs(t), rand.New(rand.NewPCG(seed, 7)), at)
		var want [numStreams][]byte
		for n := range 1 + m.random.IntN(40) {
			for range 1 + m.random.IntN(3) {
				m.print(&want, n)
			}
			m.live(true, m.rounds)
		}
		m.ended()
		for s := range want {
			checkRaw(t, m.logs, Stream(s), want[s])
		}
		if lost, err := Lost(m.logs); lost != (Loss{}) || err != nil {
			t.Fatalf("seed %d: lost: %v, %v", seed, lost, err)
		}
		m.checkNothingLeft()
		m.closeAll()
	}
	t.Log(at)
	for _, where := range []string{"moved", "noted", "freed", "removing", "write", "torn", "written"} {
		if at[where] == 0 {
			t.Errorf("none was killed at %q", where)
		}
	}
}

func (m *mortal) checkNothingLeft() {
	m.t.Helper()
	if left, err := filepath.Glob(m.opt.Spool + "*"); len(left) > 0 || err != nil {
		m.t.Fatalf("left: %v, %v", left, err)
	}
}

// closeAll lets go of a run's FIFOs before the test's end: there are many.
func (m *mortal) closeAll() {
	for _, f := range m.all {
		f.Close()
	}
}

// On a disk that is full at times what is neither kept nor counted is a lie; what
// is counted may be kept all the same.
func TestAPumpKilledOnAFullDiskCountsWhatItLoses(t *testing.T) {
	for seed := range uint64(80) {
		m := newMortal(newFIFOs(t), rand.New(rand.NewPCG(seed, 8)), map[string]int{})
		m.full = true
		var want [numStreams][]byte
		for n := range 1 + m.random.IntN(40) {
			m.print(&want, n)
			m.live(true, m.rounds)
		}
		m.full = false
		m.ended()
		lost, err := Lost(m.logs)
		if err != nil {
			t.Fatal(err)
		}
		for s, counted := range []int64{lost.Stdout, lost.Stderr} {
			got := raw(t, m.logs, Stream(s))
			if int64(len(got))+counted < int64(len(want[s])) || !subsequence(got, want[s]) {
				t.Fatalf("seed %d, %v: %d bytes kept, %d lost, %d written", seed, Stream(s), len(got), counted, len(want[s]))
			}
		}
		m.checkNothingLeft()
		m.closeAll()
	}
}

func TestPruningKeepsTheNewestFilesThroughKills(t *testing.T) {
	pruned := 0
	for seed := range uint64(80) {
		at := map[string]int{}
		m := newMortal(newFIFOs(t), rand.New(rand.NewPCG(seed, 9)), at)
		m.opt.MaxBytes, m.opt.MaxFiles = 3000+m.random.Int64N(10_000), 1+m.random.IntN(3)
		var want [numStreams][]byte
		for n := range 1 + m.random.IntN(40) {
			m.print(&want, n)
			m.live(true, m.rounds)
		}
		m.ended()
		numbers, err := logNumbers(m.logs)
		if err != nil || len(numbers) > m.opt.MaxFiles {
			t.Fatalf("seed %d: files %v, %v", seed, numbers, err)
		}
		for s := range want {
			got := raw(t, m.logs, Stream(s))
			if !bytes.HasSuffix(want[s], got) {
				t.Fatalf("seed %d, %v: what is kept is not the end of what was written", seed, Stream(s))
			}
			if len(numbers) > 0 && numbers[0] == 1 && len(got) != len(want[s]) {
				t.Fatalf("seed %d, %v: %d of %d bytes, and nothing was deleted", seed, Stream(s), len(got), len(want[s]))
			}
		}
		pruned += at["pruned"]
		m.closeAll()
	}
	if pruned == 0 {
		t.Error("none was killed while it deleted")
	}
}

// The disk is real, and so is the kill: what was taken when it came is not chosen.
func TestPumpsKilledWhileAJobPrintsLoseNothing(t *testing.T) {
	const lines, kills = 300_000, 30
	f := newFIFOs(t)
	f.spool = filepath.Join(t.TempDir(), "spool")
	job := f.job("seq", fmt.Sprint(lines))
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for range kills {
		pump := f.pumpProcess(0)
		before := size(f.logs)
		eventually(t, "the pump writes, or all is over", func() bool { return size(f.logs) > before || quiet(f) })
		time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond) // somewhere
		if err := pump.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		_ = pump.Wait() // says that it was killed
	}
	stop := f.pump(Options{Timestamps: true, Spool: f.spool})
	if err := job.Wait(); err != nil {
		t.Fatalf("the job noticed: %v", err)
	}
	f.drain(Options{Timestamps: true, Spool: f.spool})
	stop()
	var want []byte
	for n := range lines {
		want = fmt.Appendln(want, n+1)
	}
	checkRaw(t, f.logs, Stdout, want)
	if left, _ := filepath.Glob(f.spool + "*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWhereTheFIFOsAreGoneWithAKilledPumpThatIsTold(t *testing.T) {
	f := newFIFOs(t)
	f.spool = filepath.Join(t.TempDir(), "spool")
	pump := f.pumpProcess(time.Hour)
	f.write(Stdout, "taken")
	eventually(t, "the pump takes it", func() bool {
		info, err := os.Stat(f.spool + ".stdout" + bookSuffix)
		return err == nil && info.Size() == int64(len("taken"))
	})
	if err := pump.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = pump.Wait() // says that it was killed
	gone := []Source{{Stream: Stdout}, {Stream: Stderr}}
	for range 2 { // the second time it is known
		err := Drain(t.Context(), f.logs, gone, Options{Timestamps: true, Spool: f.spool})
		if err != nil && !errors.Is(err, errGone) {
			t.Fatal(err)
		}
		checkRaw(t, f.logs, Stdout, []byte("taken"))
		if lost := must(Lost(f.logs)); lost.Stdout != grownSize || lost.Stderr != grownSize || lost.First.IsZero() {
			t.Errorf("lost: %+v", lost)
		}
	}
	if left, _ := filepath.Glob(f.spool + "*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWhereNoSpoolCanBeOutputIsKeptAllTheSame(t *testing.T) {
	f := newFIFOs(t)
	f.write(Stdout, "one\ntwo")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Pump(ctx, f.logs, f.sources(), Options{Spool: filepath.Join(t.TempDir(), "missing", "spool")})
	if !errors.Is(err, errSpool) {
		t.Errorf("error %v, want one of the spool", err)
	}
	checkRaw(t, f.logs, Stdout, []byte("one\ntwo"))
	if slices.Contains(must(readNames(f.logs)), "missing") {
		t.Error("a directory was made")
	}
}

func TestAPipeIsBigWhileItsWriterIsFastOnly(t *testing.T) {
	f := newFIFOs(t)
	capacity := func() int { return must(unix.FcntlInt(f.held[Stdout].Fd(), unix.F_GETPIPE_SZ, 0)) }
	grow := func() {
		f.write(Stdout, strings.Repeat("x\n", pipeSize/2))
	}
	grow()
	stop := f.pump(Options{Hold: -1})
	eventually(t, "it is bigger", func() bool { return capacity() == grownSize })
	for n := 0; capacity() != pipeSize; n++ {
		if n == 100*calmReads {
			t.Fatal("it stays big")
		}
		f.write(Stdout, "x\n")
		eventually(t, "the pump takes it", func() bool { return must(Pending(f.held[Stdout])) == 0 })
	}
	grow()
	eventually(t, "it is bigger again", func() bool { return capacity() == grownSize })
	stop()
	if n := capacity(); n != pipeSize {
		t.Errorf("%d bytes are left to it", n)
	}
}
