//go:build !linux

package main

import "jobman/doctor"

// examineMachine has nothing to look at: what there is of systemd, control groups
// and inotify is on Linux.
func (a *app) examineMachine(string) []doctor.Finding { return nil }
