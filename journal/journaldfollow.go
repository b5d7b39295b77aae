package journal

import (
	"context"
	"errors"
	"time"
)

// identifyEvery is how often a run that is about to start is asked for its
// identifier.
const identifyEvery = 10 * time.Millisecond

// FollowJournald is Follow for a run whose sink is journald alone. identify returns
// what its claim says, or "" while there is none.
func FollowJournald(ctx context.Context, identify func() (string, error), opt ReadOptions, ended <-chan struct{}, emit func(Line) error) (*Stored, error) {
	identifier, err := awaitIdentifier(ctx, identify, ended)
	if err != nil || identifier == "" {
		return &Stored{}, err
	}
	s := newStored(identifier, opt, emit)
	if err := s.begin(ctx); err != nil && !errors.Is(err, ErrUnreadable) { // perhaps it is its first line that makes it readable
		return &s.Stored, err
	}
	if err := s.follow(ctx, ended); err != nil {
		return &s.Stored, err
	}
	s.await(ctx, false)
	if err := s.query(ctx, s.line); err != nil {
		return &s.Stored, err
	}
	return &s.Stored, s.end(ctx, true)
}

// awaitIdentifier returns "" for a run that was never executed.
func awaitIdentifier(ctx context.Context, identify func() (string, error), ended <-chan struct{}) (string, error) {
	for {
		over := isClosed(ended) // asked first: the claim comes before the end
		identifier, err := identify()
		if identifier != "" || over || err != nil {
			return identifier, err
		}
		select {
		case <-time.After(identifyEvery):
		case <-ended:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// follow emits what comes until the run has ended.
func (s *stored) follow(ctx context.Context, ended <-chan struct{}) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-ended:
			stop()
		case <-over:
		}
	}()
	for {
		err := s.query(following, s.line, "--follow", "--no-tail")
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isClosed(ended):
			if errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreadable) {
				return nil
			}
			return err
		case !errors.Is(err, ErrUnreadable):
			return err
		}
		// There will be a journal of this user once the run has printed something.
		select {
		case <-time.After(pollEvery):
		case <-ended:
		case <-ctx.Done():
		}
	}
}
