package config

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// trusted is the file, in ~/.jobman, with a line for each file that the user trusts:
// the SHA-256 of its content and, for people, its path.
const trusted = "trusted"

// Trusts tells whether the list in a directory has a file's sum.
func Trusts(dir, sum string) bool {
	f, err := os.Open(filepath.Join(dir, trusted))
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if has, _, _ := strings.Cut(lines.Text(), " "); has == sum {
			return true
		}
	}
	return false
}

// Trust adds a file, as it is now, to the list in a directory.
func Trust(dir, name string) error {
	if _, err := os.Stat(name); err != nil {
		return fmt.Errorf("%s: %w", name, cause(err))
	}
	sum, err := Sum(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, cause(err))
	}
	if Trusts(dir, sum) {
		return nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, trusted), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s\n", sum, strings.ReplaceAll(path, "\n", " "))
	return errors.Join(err, f.Close())
}
