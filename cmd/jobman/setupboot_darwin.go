package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A LaunchAgent, which launchd(8) loads at login, or for root a LaunchDaemon, at boot; see
// launchd.plist(5).

const bootMoment = "boot, or your login"

func (e bootEntry) label() string {
	sum := sha256.Sum256([]byte(e.store))
	return "jobman." + hex.EncodeToString(sum[:6])
}

func (e bootEntry) where() string {
	if os.Geteuid() == 0 {
		return "/Library/LaunchDaemons/" + e.label() + ".plist"
	}
	home, err := homeDir()
	if err != nil {
		home = "~"
	}
	return filepath.Join(home, "Library", "LaunchAgents", e.label()+".plist")
}

func (e bootEntry) text() ([]byte, error) {
	escaped := func(s string) (string, error) {
		var b bytes.Buffer
		err := xml.EscapeText(&b, []byte(s))
		return b.String(), err
	}
	exe, err := escaped(e.exe)
	store, serr := escaped(e.store)
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by jobman setup; jobman setup - -undo removes it. -->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>%s</string>
<key>ProgramArguments</key><array><string>%s</string><string>reconcile</string><string>%s</string></array>
<key>RunAtLoad</key><true/>
</dict></plist>
`, e.label(), exe, store), errors.Join(err, serr)
}

// installed tells whether the entry is there as it would be made now, or at all.
func (e bootEntry) installed() (current, there bool, err error) {
	want, err := e.text()
	if err != nil {
		return false, false, err
	}
	got, err := os.ReadFile(e.where())
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	return bytes.Equal(got, want), err == nil, err
}

func (e bootEntry) install() error {
	text, err := e.text()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(e.where()), 0o755)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(e.where(), text, 0o644)
}

func (e bootEntry) remove() error { return os.Remove(e.where()) }
