package bolt

import (
	"context"
	"fmt"
	"testing"
	"time"

	"jobman/job"
	"jobman/store"
	"jobman/store/storetest"
)

// The figures of docs/benchmarks.md: go test -bench . ./store/bolt

// populated returns a store with n completed and m active jobs, made in few
// commits and without a mirror.
func populated(b *testing.B, n, m int) *Store {
	b.Helper()
	s := open(b, b.TempDir())
	if err := s.create(context.Background()); err != nil {
		b.Fatal(err)
	}
	begin := time.Now().UTC().Add(-24 * time.Hour)
	const batch = 500
	for at := 0; at < n+m; at += batch {
		err := s.update(context.Background(), func(t tx) (bool, error) {
			for i := at; i < min(at+batch, n+m); i++ {
				j := storetest.Job(fmt.Sprintf("job %d", i%1000), fmt.Sprintf("group %d", i%10))
				j.SubmittedAt = begin.Add(time.Duration(i) * time.Millisecond)
				if i < n {
					storetest.Complete(j, job.Success)
				} else if err := t.Bucket(bucketEnv).Put([]byte(j.ID), make([]byte, 3000)); err != nil {
					return false, err
				}
				if _, err := t.put(j, nil); err != nil {
					return false, err
				}
			}
			return true, nil
		}, func() {})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkSubmit(b *testing.B) {
	for _, n := range []int{0, 10_000, 100_000} {
		b.Run(fmt.Sprintf("among=%d", n), func(b *testing.B) {
			s := populated(b, n, n/10)
			env := make([]byte, 3000)
			for b.Loop() {
				if err := s.Submit(b.Context(), storetest.Job("fresh", "default"), env, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkComplete(b *testing.B) {
	for _, n := range []int{0, 10_000, 100_000} {
		b.Run(fmt.Sprintf("among=%d", n), func(b *testing.B) {
			s := populated(b, n, n/10)
			for b.Loop() {
				b.StopTimer()
				j := storetest.Job("fresh", "default")
				if err := s.Submit(b.Context(), j, make([]byte, 3000), false); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				err := s.Update(b.Context(), []job.ID{j.ID}, func(j *job.Job) error {
					storetest.Complete(j, job.Failure)
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkQuery(b *testing.B) {
	s := populated(b, 100_000, 20)
	ids, err := s.Query(b.Context(), store.Filter{Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	some := ids[0].ID
	for _, q := range []struct {
		name string
		f    store.Filter
	}{
		{"newest 20 and active 20", store.Filter{Limit: 20}},
		{"id", store.Filter{ID: some}},
		{"prefix", store.Filter{IDPrefix: string(some[:6])}},
		{"name of 100", store.Filter{Name: "job 7"}},
		{"group, newest 20", store.Filter{Groups: []string{"group 3", "group 4"}, Limit: 20}},
		{"glob without match", store.Filter{Globs: []string{"nothing*"}}},
		{"all", store.Filter{}},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Query(b.Context(), q.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Get(b.Context(), some, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReap is an end after which there is room for everything, and one after
// which there is none for another run's output.
func BenchmarkReap(b *testing.B) {
	for _, n := range []int{0, 10_000, 100_000} {
		for _, keep := range []struct {
			name string
			job.Retention
		}{{"nothing to do", job.Retention{Bytes: 1 << 50, Jobs: 1 << 30}}, {"one run", job.Retention{Bytes: 1}}} {
			b.Run(fmt.Sprintf("among=%d/%s", n, keep.name), func(b *testing.B) {
				s := populated(b, n, n/10)
				if err := s.Submit(b.Context(), storetest.Job("fresh", "default"), nil, false); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if keep.Bytes == 1 {
						b.StopTimer()
						j := storetest.Job("fresh", "default")
						j.Last().LogBytes = 100
						storetest.Complete(j, job.Success)
						if err := s.Submit(b.Context(), j, nil, false); err != nil {
							b.Fatal(err)
						}
						b.StartTimer()
					}
					if _, err := s.Reap(b.Context(), nil, keep.Retention); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkDelete deletes a batch of a hundred of `clean`.
func BenchmarkDelete(b *testing.B) {
	const batch = 100
	s := populated(b, 100_000, 1000)
	jobs, err := s.Query(b.Context(), store.Filter{Done: true, Brief: true})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if len(jobs) < batch {
			b.Fatal("there are no jobs left")
		}
		var ids []job.ID
		for _, j := range jobs[:batch] {
			ids = append(ids, j.ID)
		}
		jobs = jobs[batch:]
		if _, err := s.Delete(b.Context(), ids); err != nil {
			b.Fatal(err)
		}
	}
}
