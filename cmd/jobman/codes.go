package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"jobman/engine"
	"jobman/job"
	"jobman/store"
)

// The exit codes.
const (
	codeOK        = 0
	codeFailed    = 1
	codeUsage     = 2
	codeNotFound  = 3
	codeState     = 4
	codeStore     = 5
	codeBackend   = 6
	codeTimeout   = 124
	codeNoCode    = 125
	codeDetached  = 130
	codeSignalled = 128 // + signal
)

// problem is an error that a user is told: what failed and why in one line, the
// command that helps where there is one, and what kind it is, which decides the
// exit code.
type problem struct {
	kind string // as in the JSON form
	text string
	hint string // a command line, or empty
	err  error
}

func (p *problem) Error() string { return p.text }
func (p *problem) Unwrap() error { return p.err }

func usage(format string, args ...any) *problem {
	return &problem{kind: "usage", text: fmt.Sprintf(format, args...)}
}

// try adds the command that helps.
func (p *problem) try(format string, args ...any) *problem {
	p.hint = fmt.Sprintf(format, args...)
	return p
}

// exitStatus is the code that a verb ends with without anything to say.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// kindOf is the kind of an error.
func kindOf(err error) string {
	p, _ := classify(err)
	return p.kind
}

// classify finds the kind of an error and its exit code. It is the one place
// that knows them all.
func classify(err error) (*problem, int) {
	var p *problem
	var backend *engine.BackendError
	var active *store.ActiveError
	switch {
	case errors.As(err, &p):
	case errors.As(err, &active):
		p = &problem{kind: "state", text: err.Error(), hint: "jobman show " + active.ID.Short()}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, job.ErrNoRun):
		p = &problem{kind: "not-found", text: err.Error(), hint: "jobman list --all"}
	case errors.Is(err, job.ErrRunOver), errors.Is(err, job.ErrNotRunning), errors.Is(err, job.ErrNotWaiting):
		p = &problem{kind: "state", text: err.Error()}
	case errors.As(err, &backend):
		p = &problem{kind: "backend", text: err.Error()}
	default:
		p = &problem{kind: "failed", text: err.Error()}
	}
	switch p.kind {
	case "usage", "config":
		return p, codeUsage
	case "not-found", "ambiguous":
		return p, codeNotFound
	case "state":
		return p, codeState
	case "store":
		return p, codeStore
	case "backend":
		return p, codeBackend
	}
	return p, codeFailed
}

// report tells the user of an error, in one line and perhaps one with a command
// that helps, and returns the exit code.
func report(w io.Writer, err error, asJSON bool) int {
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	p, code := classify(err)
	if asJSON {
		type body struct {
			Code    int     `json:"code"`
			Kind    string  `json:"kind"`
			Message string  `json:"message"`
			Hint    *string `json:"hint"`
		}
		b, err := json.Marshal(map[string]body{"error": {code, p.kind, p.text, known(p.hint)}})
		if err != nil {
			fmt.Fprintln(w, "jobman:", err)
			return code
		}
		fmt.Fprintf(w, "%s\n", b)
		return code
	}
	fmt.Fprintf(w, "jobman: %s\n", printable(p.text))
	if p.hint != "" {
		fmt.Fprintf(w, "try: %s\n", printable(p.hint))
	}
	return code
}

// printable makes text fit for a terminal: one line without control characters.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t' || c == '\r':
			return ' '
		case c < 0x20 || c >= 0x7f && c < 0xa0:
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return s
}

// known returns nil for what is unknown, so that JSON says null.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
