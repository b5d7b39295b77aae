// Package store is the contract of what keeps jobs, and its conformance suite
// (package storetest). It is such that a document database with compare-and-swap
// on a revision can implement it; store/bolt is the implementation in use.
package store

import (
	"context"
	"errors"
	"time"

	"jobman/job"
)

// Store keeps jobs. Every method is safe for concurrent use by any number of
// processes, and returns an error that wraps one of those below, or the
// context's, or else one that means: the store can't be read or written.
type Store interface {
	// Submit MUST add the job with its runs and its environment durably, in one
	// transaction, before it returns nil. With unique it MUST, in the same
	// transaction, look for an active job of the same name and return
	// *ActiveError instead of adding. The environment is kept at least until
	// the job is completed. An id that is there already is an error, and so is, in
	// the same transaction, that a job which it waits for is not there
	// (ErrNotFound).
	Submit(ctx context.Context, j *job.Job, env []byte, unique bool) error

	// SubmitAll adds many jobs, each with its environment, in one transaction, as
	// Submit does without unique.
	SubmitAll(ctx context.Context, jobs []*job.Job, envs [][]byte) error

	// Get returns a job with at most the given number of its last runs (-1:
	// all), in order, or ErrNotFound.
	Get(ctx context.Context, id job.ID, runs int) (*job.Job, error)

	// Env returns the environment that an incomplete job was submitted with, or
	// ErrNotFound.
	Env(ctx context.Context, id job.ID) ([]byte, error)

	// Query returns the jobs that meet the filter, newest submitted first; of
	// those of one instant, greater ids first.
	Query(ctx context.Context, f Filter) ([]*job.Job, error)

	// Update is an atomic read, modify, write of all the named jobs in one
	// transaction: it calls change for each, with the job's last run loaded, and
	// stores what change leaves. Jobs that are not there are skipped. change
	// may append runs; it MUST be pure, because it may be called again. When it
	// returns ErrUnchanged that job is left as it is; any other error aborts the
	// whole transaction and is returned. Nothing is written where nothing
	// changed. Where change leaves ReapedRuns greater, it deletes the output of
	// those runs, once that is committed.
	Update(ctx context.Context, ids []job.ID, change func(*job.Job) error) error

	// Delete removes completed jobs with their runs and all their files; ids that
	// are not there, are not completed, or that an incomplete job waits for, which
	// MUST be found out in the same transaction, are skipped. It returns those that
	// it removed. What a Delete, Reap or Update that was interrupted has left of
	// files goes with it.
	Delete(ctx context.Context, ids []job.ID) ([]job.ID, error)

	// Reap deletes output of completed runs, and notes in one transaction that it
	// is gone: all of the completed jobs named, and then what keep has no room for.
	// Of the latter, and of the files that an interrupted deletion has left, it MUST
	// take a bounded number at a time, and say whether there may be more to do.
	Reap(ctx context.Context, ids []job.ID, keep job.Retention) (more bool, err error)

	// What callbacks are to be told of is in the outbox: Submit and Update MUST add
	// what [job.Told] returns for their change, in the same transaction; what is
	// there already they leave as it is. Delete removes it with the job. Of a job
	// that is repeated for ever the store MUST keep those of its last runs, and may
	// forget the others, also pending ones.

	// Pending returns the deliveries that are not over, of one machine's jobs, by
	// NextAt, but those that skip wants to be skipped (nil: none), and no more than
	// limit of them.
	Pending(ctx context.Context, host string, limit int, skip func(*job.Delivery) bool) ([]job.Delivery, error)

	// Tried stores what has become of deliveries. Those that are not there any more
	// are skipped.
	Tried(ctx context.Context, all []job.Delivery) error

	// Deliveries returns those of a job, oldest first.
	Deliveries(ctx context.Context, id job.ID) ([]job.Delivery, error)
}

// Filter selects jobs. Empty fields select everything; filled ones must all
// hold; of the values within one field, one must.
type Filter struct {
	ID       job.ID // exactly this job
	IDPrefix string
	Name     string   // exactly this name
	Globs    []string // names, path.Match syntax
	Groups   []string

	Active bool // incomplete jobs only
	Done   bool // completed jobs only; with Active too, or neither: both

	Results []job.Result // of completed jobs

	// Due, if it is not zero, selects the incomplete jobs of which something is
	// due by then (NextAt).
	Due time.Time

	// Limit is the most completed jobs that are returned, 0: no limit.
	// Incomplete jobs don't count and are always returned.
	Limit int
	// Newest is the most jobs that are returned of the incomplete ones, and of the
	// completed ones, 0: no limit. Of an IDPrefix they are any, and of what is Due there is no limit.
	Newest int
	// Runs is how many of the last runs to load with each job: 0 loads the last
	// one, -1 all.
	Runs int
	// Brief leaves each job's Spec empty but for name and group, which is most of
	// the work of a long list. Such a job MUST NOT be decided about.
	Brief bool
}

// The errors that callers tell apart.
var (
	ErrNotFound  = errors.New("no such job")
	ErrUnchanged = errors.New("unchanged")
	// ErrSchema: the store was written by a newer jobman.
	ErrSchema = errors.New("the store was written by a newer version of jobman")
	// ErrDamaged: what is there can't be made sense of.
	ErrDamaged = errors.New("the store is damaged")
	// ErrUnsafe: others may write the store, or it holds links.
	ErrUnsafe = errors.New("the store is not safe")
)

// ActiveError tells which job is in the way of a unique one.
type ActiveError struct{ ID job.ID }

func (e *ActiveError) Error() string { return "a job of that name is active: " + string(e.ID) }
