// Package doctor judges what jobs depend on: each check is a function from facts
// to a [Finding], and most are pure. The facts come from the caller, or, where they
// are this machine's, from the files that end in _linux.go.
//
// A problem is what would lose jobs, or let none run; a warning is what makes
// something that jobman promises not come true here. What is only worth knowing is
// part of a finding that is ok.
package doctor

import (
	"fmt"
	"os"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Problem Level = "problem"
)

// Finding is what was found out about one thing.
type Finding struct {
	About   string
	Level   Level
	Message string
	Hint    string // a command line that helps, or empty
}

// Fine is a finding that is ok.
func Fine(about, format string, args ...any) Finding {
	return Finding{About: about, Level: OK, Message: fmt.Sprintf(format, args...)}
}

// Warn is a finding that is a warning.
func Warn(about, format string, args ...any) Finding {
	return Finding{About: about, Level: Warning, Message: fmt.Sprintf(format, args...)}
}

// Bad is a finding that is a problem.
func Bad(about, format string, args ...any) Finding {
	return Finding{About: about, Level: Problem, Message: fmt.Sprintf(format, args...)}
}

// try adds the command that helps.
func (f Finding) try(format string, args ...any) Finding {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// root is a command that needs root, as this user types it.
func root(command string) string {
	if os.Geteuid() == 0 {
		return command
	}
	return "sudo " + command
}

// dropIn is the command that gives all users' managers a setting. Restart= holds at
// once; others when the manager is next started, which would end what it runs.
func dropIn(name, setting string) string {
	const dir = "/etc/systemd/system/user@.service.d"
	return root(fmt.Sprintf(`sh -c 'mkdir -p %[1]s && printf "[Service]\n%[2]s\n" > %[1]s/%[3]s.conf && systemctl daemon-reload'`, dir, setting, name))
}
