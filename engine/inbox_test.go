package engine

import (
	"testing"

	"jobman/job"
	"jobman/store/tree"
	"jobman/turn"
)

// Whose mail was taken in while it waited for its turn has nothing to do: this engine
// has no store that it could ask.
func TestWhatWasTakenInMeanwhileIsLeft(t *testing.T) {
	e := &Engine{Tree: tree.Tree(t.TempDir())}
	if err := e.Tree.Create(); err != nil {
		t.Fatal(err)
	}
	ref := job.Ref{ID: job.NewID(), Run: 1}
	if err := e.Tree.Drop(ref); err != nil {
		t.Fatal(err)
	}
	end := turn.Wait(t.Context(), e.Tree.InboxTurn(), turnWait)
	posted := make(chan error)
	go func() { posted <- e.Post(t.Context(), ref) }()
	if err := e.Tree.Take(ref); err != nil {
		t.Fatal(err)
	}
	end()
	if err := <-posted; err != nil {
		t.Error(err)
	}
}
