package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jobman/job"
)

// ServiceExit reads how the command ended from what systemd tells stop-post in
// its environment, see systemd.exec(5). Without a main process that ended there
// is neither code nor signal.
func ServiceExit(getenv func(string) string) job.Exit {
	e := job.Exit{
		InvocationID:  getenv("INVOCATION_ID"),
		ServiceResult: getenv("SERVICE_RESULT"),
	}
	switch status := getenv("EXIT_STATUS"); getenv("EXIT_CODE") {
	case "exited":
		if n, err := strconv.Atoi(status); err == nil {
			e.Code = &n
		}
	case "killed", "dumped":
		if sig, err := job.ParseSignal(status); err == nil {
			e.Signal = sig
		}
	}
	return e
}

// CgroupUsage reads what the control group of this process has used since it
// was made; nil what the kernel doesn't count here.
func CgroupUsage() (cpuSeconds *float64, memoryPeak *int64) {
	dir, ok := OwnCgroup()
	if !ok {
		return nil, nil
	}
	if usec, ok := readNumber(filepath.Join(dir, "cpu.stat"), "usage_usec "); ok {
		s := float64(usec) / 1e6
		cpuSeconds = &s
	}
	if peak, ok := readNumber(filepath.Join(dir, "memory.peak"), ""); ok {
		memoryPeak = &peak
	}
	return cpuSeconds, memoryPeak
}

// OwnCgroup returns the directory of this process's control group of version 2, see
// cgroups(7).
func OwnCgroup() (dir string, ok bool) {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", false
	}
	for line := range bytes.Lines(b) {
		if path, unified := strings.CutPrefix(strings.TrimSpace(string(line)), "0::"); unified {
			dir = filepath.Join("/sys/fs/cgroup", path)
			_, err := os.Stat(filepath.Join(dir, "cgroup.procs"))
			return dir, err == nil
		}
	}
	return "", false
}

// readNumber finds a number after a key at the start of a line.
func readNumber(file, key string) (int64, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(b) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(string(line)), key); ok {
			n, err := strconv.ParseInt(value, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
