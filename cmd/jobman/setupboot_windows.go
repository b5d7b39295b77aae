package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
)

// A scheduled task, see schtasks.exe. Windows lets administrators alone make one that
// begins at the user's login.

const bootMoment = "your login"

func (e bootEntry) name() string {
	sum := sha256.Sum256([]byte(e.store))
	return "jobman-" + hex.EncodeToString(sum[:6])
}

func (e bootEntry) where() string { return "the scheduled task " + e.name() }

func schtasks(args ...string) error {
	if out, err := exec.Command("schtasks.exe", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("schtasks %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// installed tells whether the entry is there. Whether it is as it would be made now is not
// looked at: it is made again.
func (e bootEntry) installed() (current, there bool, err error) {
	err = schtasks("/Query", "/TN", e.name())
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return false, false, nil // there is no such task
	}
	return false, err == nil, err
}

func (e bootEntry) install() error {
	return schtasks("/Create", "/F", "/TN", e.name(), "/SC", "ONLOGON", "/TR", fmt.Sprintf(`"%s" reconcile "%s"`, e.exe, e.store))
}

func (e bootEntry) remove() error { return schtasks("/Delete", "/F", "/TN", e.name()) }
