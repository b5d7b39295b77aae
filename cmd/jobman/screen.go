package main

import (
	"os"

	"golang.org/x/term"
)

// isTerminal tells whether a file is a terminal.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// width is how many columns the terminal has that stdout is; 0: it is none, or is not
// telling.
func width() int {
	if !isTerminal(os.Stdout) {
		return 0
	}
	w, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// colorful tells whether stdout is to have colours: see https://no-color.org.
func colorful() bool {
	return isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
