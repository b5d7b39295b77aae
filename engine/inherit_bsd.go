//go:build darwin || freebsd

package engine

import (
	"golang.org/x/sys/unix"

	"jobman/job"
)

// resources are those of getrlimit(2) that both systems have.
var resources = map[string]int{
	"as": unix.RLIMIT_AS, "core": unix.RLIMIT_CORE, "cpu": unix.RLIMIT_CPU,
	"data": unix.RLIMIT_DATA, "fsize": unix.RLIMIT_FSIZE, "memlock": unix.RLIMIT_MEMLOCK,
	"nofile": unix.RLIMIT_NOFILE, "nproc": unix.RLIMIT_NPROC, "stack": unix.RLIMIT_STACK,
}

// niceValue: see getpriority(2).
func niceValue() (int, error) { return unix.Getpriority(unix.PRIO_PROCESS, 0) }

const rlimInfinity = 1<<63 - 1

func fromRlim[N int64 | uint64](n N) uint64 {
	if uint64(n) >= rlimInfinity {
		return job.Unlimited
	}
	return uint64(n)
}
