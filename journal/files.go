package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
	logName  = "log."
	lockName = "lock"
)

// logPath returns the path of log.n.
func logPath(logs string, n int) string {
	return filepath.Join(logs, logName+strconv.Itoa(n))
}

// logNumbers returns the numbers of the log files there are, ascending. A
// directory that doesn't exist has none. The first need not be 1, nor the row
// without gaps: old files of a run may have been deleted.
func logNumbers(logs string) ([]int, error) {
	names, err := readNames(logs)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, name := range names {
		digits, found := strings.CutPrefix(name, logName)
		n, err := strconv.Atoi(digits)
		// Names such as log.01 and log.+1 are not ours.
		if found && err == nil && n >= 1 && strconv.Itoa(n) == digits {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// readNames lists a directory, unsorted; nothing if it doesn't exist.
func readNames(dir string) ([]string, error) {
	d, err := os.OpenFile(dir, os.O_RDONLY|noFollow, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// openLog opens log.n for reading.
func openLog(logs string, n int) (*os.File, error) {
	return os.OpenFile(logPath(logs, n), os.O_RDONLY|noFollow, 0)
}

// openLast opens log.n for appending, and makes it if need be. It is open for
// reading too, to see how it ends.
func openLast(logs string, n int) (*os.File, error) {
	return os.OpenFile(logPath(logs, n), os.O_RDWR|os.O_APPEND|os.O_CREATE|noFollow, fileMode)
}
