package doctor

import (
	"strconv"
	"strings"
)

// oldest is the first systemd that has all that jobman needs.
const oldest = 244

// Version judges the version of systemd as its manager tells it, such as
// "252.39-1~deb12u1", by its known bugs.
func Version(version, scope string) Finding {
	const about = "systemd"
	v, patch, ok := parseVersion(version)
	switch {
	case !ok:
		return Warn(about, "its version %q can't be read", version)
	case v < oldest:
		return Bad(about, "version %d is too old: jobs need %d", v, oldest).try("jobman --backend fork ...")
	case scope == "user" && (v == 255 || v == 256 && patch < 3):
		// systemd issue 43361.
		return Warn(about, "version %s may kill a user's systemd at the last logout although the user lingers, and all runs with it; 256.3 does not", version).
			try("%s", dropIn("jobman-restart", "Restart=on-failure"))
	case v >= 255:
		return Fine(about, "version %s; journalctl --unit misses lines of short runs, journalctl JOBMAN_JOB_ID=ID does not", version)
	}
	return Fine(about, "version %s", version)
}

// parseVersion reads "256.3-1" or "252 (252.39-1)".
func parseVersion(s string) (major, patch int, ok bool) {
	digits := func(s string) (n int, rest string, ok bool) {
		rest = strings.TrimLeft(s, "0123456789")
		n, err := strconv.Atoi(s[:len(s)-len(rest)])
		return n, rest, err == nil
	}
	major, rest, ok := digits(strings.TrimPrefix(s, "v"))
	if after, dotted := strings.CutPrefix(rest, "."); ok && dotted {
		patch, _, _ = digits(after)
	}
	return major, patch, ok
}

// Manager judges whether a user's manager that is killed comes back: restart is
// the Restart= of user@.service.
func Manager(restart string) Finding {
	const about = "user manager"
	switch restart {
	case "":
		return Warn(about, "it can't be told whether it is started again if it is killed")
	case "no":
		return Warn(about, "nothing starts it again if it is killed, such as for want of memory: jobs go on at the next login or boot").
			try("%s", dropIn("jobman-restart", "Restart=on-failure"))
	}
	return Fine(about, "it is started again if it is killed (Restart=%s)", restart)
}

// NoManager is the finding where a user has no systemd, as under su(1).
func NoManager() Finding {
	return Warn("user manager", "there is none; jobman run starts it where that is allowed without a password, and else forks jobs itself").try("jobman setup")
}

// Lingering judges whether a user's jobs outlive the logout.
func Lingering(on bool) Finding {
	if on {
		return Fine("lingering", "on: jobs outlive logout")
	}
	return Warn("lingering", "off: jobs end at logout, unless jobman run may turn it on without a password").try("jobman setup")
}

// Boot is what setup has arranged for the next boot.
type Boot struct {
	Noted   bool   // setup has made a unit
	File    string // where it is or would be
	Program string // what it executes; empty: the file is not there
	Works   bool   // the program is there
	Enabled bool
}

// AtBoot judges whether jobs go on after a boot.
func AtBoot(b Boot) Finding {
	const about = "boot"
	switch {
	case b.Program == "" && !b.Noted:
		return Warn(about, "jobs go on with the next jobman command after a boot, not by themselves").try("jobman setup")
	case b.Program == "":
		return Warn(about, "%s is gone, so jobs do not go on by themselves", b.File).try("jobman setup")
	case !b.Works:
		return Warn(about, "%s executes %s, which is not there", b.File, b.Program).try("jobman setup")
	case !b.Enabled:
		return Warn(about, "%s is not enabled, so jobs do not go on by themselves", b.File).try("jobman setup --undo && jobman setup")
	}
	return Fine(about, "jobs go on by themselves (%s)", b.File)
}

// FailedUnits judges the failed units of this store's runs: those of jobs that the
// store has, and orphans.
func FailedUnits(scope string, known, orphans []string) Finding {
	const about = "failed units"
	switch {
	case len(orphans) > 0:
		return Warn(about, "%s of jobs that the store does not have", count(len(orphans), "unit is", "units are")).
			try("systemctl --%s reset-failed %s", scope, strings.Join(orphans, " "))
	case len(known) > 0:
		return Fine(about, "%s, which the safety net will forget: %s", count(len(known), "unit", "units"), strings.Join(known, " "))
	}
	return Fine(about, "none")
}

// count is a number of things in words.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
