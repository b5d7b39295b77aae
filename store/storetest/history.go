package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
)

// testHistories does random things to a store and to a naive model of it, and
// compares all that can be asked. STORETEST_SEED repeats a history.
func testHistories(t *testing.T, s store.Store) {
	seed := rand.Uint64()
	if text := os.Getenv("STORETEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("STORETEST_SEED=%d", seed)
	h := history{T: t, Rand: rand.New(rand.NewPCG(seed, 0)), s: s, model: map[job.ID]*modelled{}}
	for range 300 {
		switch n := h.IntN(20); {
		case n < 5:
			h.submit()
		case n < 9:
			h.update()
		case n < 10:
			h.delete()
		case n < 11:
			h.reap()
		case n < 18:
			h.query()
		default:
			h.get()
		}
		if t.Failed() {
			return
		}
	}
}

type modelled struct {
	job *job.Job // with all its runs
	env string
}

type history struct {
	*testing.T
	*rand.Rand
	s     store.Store
	model map[job.ID]*modelled
	ids   []job.ID // of all that ever were, so that choosing is repeatable
}

func pick[T any](h *history, of []T) T { return of[h.IntN(len(of))] }

// some chooses each with a probability of one half.
func some[T any](h *history, of []T) (out []T) {
	for _, v := range of {
		if h.IntN(2) == 0 {
			out = append(out, v)
		}
	}
	return out
}

var (
	histNames   = []string{"a", "b", "ab", "a b", "a\nb", "日本", "/x/y", strings.Repeat("l", 300), strings.Repeat("l", 300) + "m"}
	histGroups  = []string{"default", "etl", "e", ""}
	histGlobs   = []string{"a", "a*", "?", "[ab]", "/x/*", "l*", "*m", "*"}
	histResults = []job.Result{job.Success, job.Failure, job.Neutral, job.Killed}
)

// anyID returns an id that the history knows, or not.
func (h *history) anyID() job.ID {
	if len(h.ids) == 0 || h.IntN(8) == 0 {
		return h.newID()
	}
	return pick(h, h.ids)
}

// newID returns a fresh id, of few beginnings, that the seed repeats.
func (h *history) newID() job.ID {
	return job.ID(fmt.Sprintf("%s%04x-%04x-4%03x-8%03x-%012x", pick(h, []string{"aaaa", "aabb", "ffff"}),
		h.IntN(1<<16), h.IntN(1<<16), h.IntN(1<<12), h.IntN(1<<12), h.Int64N(1<<48)))
}

func (h *history) submit() {
	j := Job(pick(h, histNames), pick(h, histGroups))
	j.ID = h.newID()
	j.SubmittedAt = epoch.Add(time.Duration(h.IntN(30)-15) * time.Second) // the same for many
	if h.IntN(4) == 0 {
		j.RunCount, j.Runs = 0, nil
		j.Phase = job.Waiting
	} else if h.IntN(8) == 0 {
		Complete(j, pick(h, histResults))
	}
	unique := h.IntN(3) == 0
	taken := false
	for _, m := range h.model {
		taken = taken || unique && m.job.Spec.Name == j.Spec.Name && !m.job.Completed()
	}
	env := strings.Repeat("E", h.IntN(6000))
	err := h.s.Submit(h.Context(), j, []byte(env), unique)
	var active *store.ActiveError
	if taken {
		if !errors.As(err, &active) {
			h.Fatalf("Submit of a second %q: %v", j.Spec.Name, err)
		}
		if m := h.model[active.ID]; m == nil || m.job.Completed() || m.job.Spec.Name != j.Spec.Name {
			h.Fatalf("Submit of a second %q: wrong one in the way: %v", j.Spec.Name, err)
		}
		return
	}
	if err != nil {
		h.Fatalf("Submit: %v", err)
	}
	h.model[j.ID] = &modelled{j, env}
	h.ids = append(h.ids, j.ID)
}

func (h *history) update() {
	var ids []job.ID
	for range 1 + h.IntN(4) {
		ids = append(ids, h.anyID())
	}
	abort := h.IntN(6) == 0
	no := errors.New("no")
	called := 0
	changed := map[job.ID]*job.Job{}
	err := h.s.Update(h.Context(), ids, func(j *job.Job) error {
		called++
		want := h.model[j.ID]
		if want == nil {
			h.Fatalf("change was called with %s, which is not there", j.ID)
		}
		same(h.T, "what change is given", j, loaded(want.job, 1))
		before := loaded(want.job, -1)
		if n := len(j.Runs); n > 0 { // as change will leave them
			before.Runs = before.Runs[:len(before.Runs)-n]
		}
		unchanged := h.change(j)
		before.Runs = append(before.Runs, j.Runs...)
		runs := before.Runs
		*before = *j
		before.Runs = runs
		if unchanged {
			return store.ErrUnchanged
		}
		changed[j.ID] = before
		if abort && called == 2 {
			return no
		}
		return nil
	})
	if abort && called >= 2 && errors.Is(err, no) {
		return
	}
	if err != nil {
		h.Fatalf("Update: %v", err)
	}
	for id, j := range changed {
		h.model[id].job = j
	}
}

// change does something to a job, or tells that it wants it unchanged.
func (h *history) change(j *job.Job) (unchanged bool) {
	switch h.IntN(9) {
	case 0:
		j.Message = strings.Repeat("m", h.IntN(3000))
	case 1:
		addRun(j)
	case 2, 3:
		if j.Last() == nil {
			addRun(j)
		}
		Complete(j, pick(h, histResults))
	case 4:
		j.Spec.Name, j.Spec.Group = pick(h, histNames), pick(h, histGroups) // a store has no policy
		j.SubmittedAt = j.SubmittedAt.Add(time.Second)
	case 5:
		j.Message = "not to be kept"
		return true
	case 6, 7:
		if r := j.Last(); r != nil && r.Active() {
			endRun(r, epoch.Add(time.Duration(h.IntN(100))*time.Second), int64(h.IntN(3)*50))
			j.ReapedRuns = max(j.ReapedRuns, j.RunCount-1-h.IntN(4))
		}
	}
	return false
}

// reap holds a Reap against what the contract says, done without any thought of
// speed.
func (h *history) reap() {
	var ids []job.ID
	if h.IntN(3) == 0 {
		ids = []job.ID{h.anyID(), h.anyID()}
	}
	var keep job.Retention
	if h.IntN(2) == 0 {
		keep.Bytes, keep.Held = 1+int64(h.IntN(2000)), int64(h.IntN(500))
	}
	if h.IntN(4) == 0 {
		keep.Jobs = 1 + h.IntN(20)
	}
	if h.IntN(4) == 0 {
		keep.Since = epoch.Add(time.Duration(h.IntN(100)) * time.Second)
	}
	reap(h.T, h.s, ids, keep)
	var ended []*job.Job
	for id, m := range h.model {
		if m.job.Completed() && slices.Contains(ids, id) {
			m.job.ReapedRuns = m.job.RunCount
		}
		if m.job.Completed() && m.job.ReapedRuns < m.job.RunCount {
			ended = append(ended, m.job)
		}
	}
	slices.SortFunc(ended, func(a, b *job.Job) int { return byEnd(a.StoppedAt, b.StoppedAt, string(a.ID), string(b.ID)) })
	for i, j := range ended {
		if keep.Jobs > 0 && len(ended)-i > keep.Jobs || j.StoppedAt.Truncate(time.Microsecond).Before(keep.Since) {
			j.ReapedRuns = j.RunCount
		}
	}
	if keep.Bytes == 0 {
		return
	}
	type output struct {
		*job.Run
		key string
	}
	var outputs []output
	total := keep.Held
	for id, m := range h.model {
		for i := range m.job.Runs {
			if r := &m.job.Runs[i]; !r.Active() && !m.job.Reaped(r) && r.LogBytes > 0 {
				outputs = append(outputs, output{r, fmt.Sprintf("%s/%09d", id, r.N)})
				total += r.LogBytes
			}
		}
	}
	slices.SortFunc(outputs, func(a, b output) int { return byEnd(a.StoppedAt, b.StoppedAt, a.key, b.key) })
	for _, o := range outputs {
		if total <= keep.Bytes {
			break
		}
		o.Reaped = true
		total -= o.LogBytes
	}
}

// byEnd orders by time, of which a store keeps microseconds, and then by a key.
func byEnd(a, b time.Time, keyA, keyB string) int {
	if c := a.Truncate(time.Microsecond).Compare(b.Truncate(time.Microsecond)); c != 0 {
		return c
	}
	return strings.Compare(keyA, keyB)
}

func (h *history) delete() {
	var ids, want []job.ID
	for range 1 + h.IntN(4) {
		id := h.anyID()
		if m := h.model[id]; m != nil && m.job.Completed() && !slices.Contains(ids, id) {
			want = append(want, id)
		}
		ids = append(ids, id)
	}
	deleted, err := h.s.Delete(h.Context(), ids)
	if err != nil || !slices.Equal(deleted, want) {
		h.Fatalf("Delete(%v) = %v, %v; want %v", ids, deleted, err, want)
	}
	for _, id := range want {
		delete(h.model, id)
	}
}

func (h *history) get() {
	id := h.anyID()
	n := h.IntN(4) - 1
	j, err := h.s.Get(h.Context(), id, n)
	env, envErr := h.s.Env(h.Context(), id)
	m := h.model[id]
	if m == nil {
		if !errors.Is(err, store.ErrNotFound) || !errors.Is(envErr, store.ErrNotFound) {
			h.Fatalf("Get, Env of %s: %v, %v", id, err, envErr)
		}
		return
	}
	if err != nil {
		h.Fatalf("Get: %v", err)
	}
	same(h.T, "Get", j, loaded(m.job, n))
	if !m.job.Completed() && (envErr != nil || string(env) != m.env) {
		h.Fatalf("Env: %d bytes for %d, %v", len(env), len(m.env), envErr)
	}
}

// loaded returns a copy of a job with its last runs.
func loaded(j *job.Job, n int) *job.Job {
	c := *j
	c.Runs = slices.Clone(j.Runs)
	if n >= 0 && n < len(c.Runs) {
		c.Runs = c.Runs[len(c.Runs)-n:]
	}
	if len(c.Runs) == 0 {
		c.Runs = nil
	}
	return &c
}

func (h *history) query() {
	var f store.Filter
	if h.IntN(8) == 0 {
		f.ID = h.anyID()
	}
	if h.IntN(5) == 0 {
		f.IDPrefix = string(h.anyID())[:h.IntN(37)]
	}
	if h.IntN(4) == 0 {
		f.Name = pick(h, histNames)
	}
	if h.IntN(4) == 0 {
		f.Globs = some(h, histGlobs)
	}
	if h.IntN(4) == 0 {
		f.Groups = some(h, histGroups)
	}
	if h.IntN(4) == 0 {
		f.Results = some(h, histResults)
	}
	f.Active, f.Done = h.IntN(3) == 0, h.IntN(3) == 0
	f.Limit = h.IntN(6)
	f.Runs = h.IntN(4) - 1

	got, err := h.s.Query(h.Context(), f)
	if err != nil {
		h.Fatalf("Query(%+v): %v", f, err)
	}
	want := h.expected(f)
	if len(got) != len(want) {
		h.Fatalf("Query(%+v): %d jobs, want %d", f, len(got), len(want))
	}
	for i := range got {
		same(h.T, "a job of the query", got[i], want[i])
	}
}

// expected is the contract of Query, without any thought of speed.
func (h *history) expected(f store.Filter) (jobs []*job.Job) {
	runs := f.Runs
	if runs == 0 {
		runs = 1
	}
	for _, m := range h.model {
		if meets(m.job, f) {
			jobs = append(jobs, loaded(m.job, runs))
		}
	}
	slices.SortFunc(jobs, func(a, b *job.Job) int {
		if c := b.SubmittedAt.Compare(a.SubmittedAt); c != 0 {
			return c
		}
		return strings.Compare(string(b.ID), string(a.ID))
	})
	done := 0
	return slices.DeleteFunc(jobs, func(j *job.Job) bool {
		if j.Completed() {
			done++
		}
		return j.Completed() && f.Limit > 0 && done > f.Limit
	})
}

func meets(j *job.Job, f store.Filter) bool {
	if f.ID != "" && j.ID != f.ID || !strings.HasPrefix(string(j.ID), f.IDPrefix) || f.Name != "" && j.Spec.Name != f.Name {
		return false
	}
	globbed := len(f.Globs) == 0
	for _, glob := range f.Globs {
		ok, _ := path.Match(glob, j.Spec.Name)
		globbed = globbed || ok
	}
	if !globbed || len(f.Groups) > 0 && !slices.Contains(f.Groups, j.Spec.Group) {
		return false
	}
	if len(f.Results) > 0 && (!j.Completed() || !slices.Contains(f.Results, j.Result)) {
		return false
	}
	return f.Active == f.Done || f.Done == j.Completed()
}
