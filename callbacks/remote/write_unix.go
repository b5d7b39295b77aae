//go:build unix

package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// writeWithin is how long a terminal may keep what is written to it waiting.
const writeWithin = 5 * time.Second

// terminals are where terminals are.
var terminals = []string{"/dev/pts/[0-9]*", "/dev/tty[0-9]*", "/dev/ttyp[0-9]*", "/dev/ttyv[0-9]*", "/dev/ttys[0-9]*"}

// write writes to all terminals of a user, by default this process's: those that are
// the user's, since whoever logs in gets the terminal. As write(1) does, it leaves those
// of other users alone that take no messages (mesg(1)).
func write(_ context.Context, o *order) (string, error) {
	uid := os.Geteuid()
	who, err := user.Current()
	if name := o.Key("user"); name != "" {
		if who, err = user.Lookup(name); err == nil {
			uid, err = strconv.Atoi(who.Uid)
		}
	}
	if err != nil {
		return "", err
	}
	m, err := o.message()
	if err != nil {
		return "", err
	}
	text := strings.ReplaceAll("\n\a"+m.text+"\n", "\n", "\r\n")
	var errs []error
	written := 0
	for _, path := range terminalsOf(uid) {
		if err := writeTo(path, text); err != nil {
			errs = append(errs, err)
			continue
		}
		written++
	}
	switch {
	case written > 0:
		return fmt.Sprintf("it was written to %d terminals of %s", written, who.Username), nil
	case len(errs) > 0:
		return "", errors.Join(errs...)
	}
	return "", fmt.Errorf("%s has no terminal that takes messages", who.Username)
}

func terminalsOf(uid int) (found []string) {
	for _, pattern := range terminals {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			continue // they are constants
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil || info.Mode()&os.ModeCharDevice == 0 {
				continue
			}
			st, ok := info.Sys().(*syscall.Stat_t)
			const messages = 0o020 // what mesg(1) sets
			if ok && int(st.Uid) == uid && (uid == os.Geteuid() || info.Mode().Perm()&messages != 0) {
				found = append(found, path)
			}
		}
	}
	return found
}

func writeTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	_, err = f.WriteString(text)
	return err
}
