// Package e2e runs the scripts in testdata against the real jobman, three times:
// in the system's scope of a real systemd, in a user's, and under the fork
// supervisor. Where PID 1 is not systemd it boots one (package lab) and runs
// itself inside it. Each script begins with a sentence that says what it shows.
package e2e
