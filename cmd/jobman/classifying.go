package main

import (
	"context"
	"errors"

	"jobman/job"
	"jobman/store"
)

// classifying is a store whose own errors are told as such: code 5. What a
// change function returns is passed on as it is.
type classifying struct{ store.Store }

func (s classifying) Submit(ctx context.Context, j *job.Job, env []byte, unique bool) error {
	return storeProblem(s.Store.Submit(ctx, j, env, unique))
}

func (s classifying) SubmitAll(ctx context.Context, jobs []*job.Job, envs [][]byte) error {
	return storeProblem(s.Store.SubmitAll(ctx, jobs, envs))
}

func (s classifying) Get(ctx context.Context, id job.ID, runs int) (*job.Job, error) {
	j, err := s.Store.Get(ctx, id, runs)
	return j, storeProblem(err)
}

func (s classifying) Env(ctx context.Context, id job.ID) ([]byte, error) {
	env, err := s.Store.Env(ctx, id)
	return env, storeProblem(err)
}

func (s classifying) Query(ctx context.Context, f store.Filter) ([]*job.Job, error) {
	jobs, err := s.Store.Query(ctx, f)
	return jobs, storeProblem(err)
}

func (s classifying) Update(ctx context.Context, ids []job.ID, change func(*job.Job) error) error {
	var refused error
	err := s.Store.Update(ctx, ids, func(j *job.Job) error {
		err := change(j)
		if !errors.Is(err, store.ErrUnchanged) {
			refused = err
		}
		return err
	})
	if err != nil && refused == nil {
		return storeProblem(err)
	}
	return err
}

func (s classifying) Delete(ctx context.Context, ids []job.ID) ([]job.ID, error) {
	deleted, err := s.Store.Delete(ctx, ids)
	return deleted, storeProblem(err)
}

func (s classifying) Reap(ctx context.Context, ids []job.ID, keep job.Retention) (bool, error) {
	more, err := s.Store.Reap(ctx, ids, keep)
	return more, storeProblem(err)
}
