// Package shells tests the completions of jobman in the real shells, on a
// pseudo-terminal: it types, and looks at what the shell makes of the line.
package shells
