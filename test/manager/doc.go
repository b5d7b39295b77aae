// Package manager has the systemd beneath jobman misbehave: killed, executed anew,
// without a bus or a journal, going down. It does so in a lab of its own.
package manager
