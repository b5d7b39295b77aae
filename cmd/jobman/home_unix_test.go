//go:build unix

package main

import (
	"os"
	"os/user"
	"path/filepath"
	"testing"
)

func TestTheStoreIsInTheEffectiveUsersHome(t *testing.T) {
	own := t.TempDir()
	t.Setenv("HOME", own)
	if dir, err := storeDir(""); err != nil || dir != filepath.Join(own, ".jobman/.db") {
		t.Errorf("storeDir() = %q, %v", dir, err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	foreign := "/" // owned by root
	if os.Geteuid() == 0 {
		foreign = t.TempDir()
		if err := os.Chown(foreign, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", foreign) // as with sudo
	if dir, err := storeDir(""); err != nil || dir != filepath.Join(me.HomeDir, ".jobman/.db") {
		t.Errorf("storeDir() = %q, %v; want it below %s", dir, err, me.HomeDir)
	}
	if dir, err := storeDir("x"); err != nil || !filepath.IsAbs(dir) {
		t.Errorf("storeDir(x) = %q, %v", dir, err)
	}
	if _, err := storeDir("mongodb://h/x"); err == nil {
		t.Error("a URL is taken for a directory")
	}
}
