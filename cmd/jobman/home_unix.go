//go:build unix

package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// homeDir is $HOME if the effective user owns it, else the home of the passwd
// entry, so that `sudo jobman` never writes into another user's home.
func homeDir() (string, error) {
	if home := os.Getenv("HOME"); home != "" {
		if info, err := os.Stat(home); err == nil && owner(info) == os.Geteuid() {
			return home, nil
		}
	}
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return "", err
	}
	if u.HomeDir == "" {
		return "", fmt.Errorf("user %s has none", u.Username)
	}
	return u.HomeDir, nil
}

func owner(info os.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}
