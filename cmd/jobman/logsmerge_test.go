package main

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"jobman/job"
	"jobman/journal"
)

// someLines is a reader of given lines.
type someLines []journal.Line

func (s *someLines) Next() (journal.Line, error) {
	if len(*s) == 0 {
		return journal.Line{}, io.EOF
	}
	line := (*s)[0]
	*s = (*s)[1:]
	return line, nil
}

func (s *someLines) Close() error { return nil }

func TestLinesAreMergedByTimeAndStayInOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		type line struct {
			row, n int
			at     time.Time
		}
		var all []line
		var rows []*row
		for place := range random.IntN(6) {
			runs := map[int]*someLines{}
			r := &row{share: &share{job: new(job.Job)}, place: place}
			at, n := time.Unix(1000, 0), 0
			for run := 1; run <= random.IntN(4); run++ {
				r.runs = append(r.runs, run)
				lines := new(someLines)
				for range random.IntN(10) {
					at = at.Add(time.Duration(random.IntN(3)) * time.Second)
					*lines = append(*lines, journal.Line{Time: at, Text: []byte(strconv.Itoa(n))})
					all = append(all, line{place, n, at})
					n++
				}
				runs[run] = lines
			}
			r.open = func(run int) (lineReader, error) { return runs[run], nil }
			rows = append(rows, r)
		}
		slices.SortStableFunc(all, func(x, y line) int { return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.row, y.row)) })
		var got []line
		err := merge(rows, func(r *row) error {
			n, err := strconv.Atoi(string(r.line.Text))
			got = append(got, line{r.place, n, r.line.Time})
			return err
		})
		if err != nil || !slices.Equal(got, all) {
			t.Fatalf("merged to %v (%v), want %v", got, err, all)
		}
	}
}

func TestLinesWithoutTimeStandWhereTheirRunBegan(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	timed := &someLines{{Time: at(1), Text: []byte("before")}, {Time: at(3), Text: []byte("after")}}
	bare := &someLines{{Text: []byte("one")}, {Text: []byte("two")}}
	j := &job.Job{Runs: []job.Run{{N: 1, StartedAt: at(2)}}}
	rows := []*row{
		{share: &share{job: j}, runs: []int{1}, open: func(int) (lineReader, error) { return timed, nil }},
		{share: &share{job: j}, runs: []int{1}, place: 1, open: func(int) (lineReader, error) { return bare, nil }},
	}
	var got []string
	if err := merge(rows, func(r *row) error {
		got = append(got, string(r.line.Text))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"before", "one", "two", "after"}; !slices.Equal(got, want) {
		t.Errorf("merged to %q, want %q", got, want)
	}
}

func TestOfManyJobsThoseAreOpenThatRanAtATime(t *testing.T) {
	open, most := 0, 0
	var rows []*row
	for i := range 100 {
		at := time.Unix(int64(i), 0)
		j := &job.Job{Runs: []job.Run{{N: 1, StartedAt: at}}}
		rows = append(rows, &row{share: &share{job: j}, runs: []int{1}, place: i, open: func(int) (lineReader, error) {
			open++
			most = max(most, open)
			return &counted{someLines{{Time: at}, {Time: at.Add(time.Millisecond)}}, &open}, nil
		}})
	}
	lines := 0
	if err := merge(rows, func(*row) error { lines++; return nil }); err != nil || lines != 200 {
		t.Fatalf("%d lines, error %v", lines, err)
	}
	if open != 0 || most > 2 {
		t.Errorf("%d were open at a time, and %d still are", most, open)
	}
}

// counted counts those that are open.
type counted struct {
	someLines
	open *int
}

func (c *counted) Close() error {
	*c.open--
	return nil
}

func TestAMergeEndsWithTheFirstError(t *testing.T) {
	stop := errors.New("stop")
	rows := []*row{{share: &share{job: new(job.Job)}, runs: []int{1}, open: func(int) (lineReader, error) { return nil, stop }}}
	if err := merge(rows, func(*row) error { return nil }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestJobsOfOneNameAreToldApart(t *testing.T) {
	named := func(id job.ID, name string) *share {
		return &share{job: &job.Job{ID: id, Spec: job.Spec{Name: name}}}
	}
	a, b, c := named("11111111-", "same"), named("22222222-", "same"), named("33333333-", "a name that is longer than there is room for")
	p := newPrinter(&app{stdout: io.Discard}, false, true)
	p.name([]*share{a, b, c})
	later := named("44444444-", "same")
	p.name([]*share{later})
	got := []string{a.label, b.label, c.label, later.label}
	want := []string{"same 11111111", "same 22222222", "a name that is longer t…", "same 44444444"}
	if !slices.Equal(got, want) {
		t.Errorf("the labels are %q, want %q", got, want)
	}
}

func TestOnATerminalNamesHaveColorsAndStderrIsRed(t *testing.T) {
	var out bytes.Buffer
	p := newPrinter(&app{stdout: &out}, false, true)
	p.color = true
	a := &share{job: &job.Job{ID: "11111111-", Spec: job.Spec{Name: "a"}}}
	b := &share{job: &job.Job{ID: "22222222-", Spec: job.Spec{Name: "bc"}}}
	p.name([]*share{a, b})
	for _, s := range []*share{a, b} {
		if err := p.line(s, 1, journal.Line{Stream: journal.Stderr, Text: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[36ma  | \x1b[0m\x1b[31mstderr: x\x1b[0m\n\x1b[33mbc | \x1b[0m\x1b[31mstderr: x\x1b[0m\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}
