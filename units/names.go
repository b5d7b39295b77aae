package units

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"jobman/job"
)

// RunPattern matches the services of runs, for ListUnitsByPatterns. It matches
// pumps too; ParseRun tells them apart.
const RunPattern = "jobman-*-*.service"

// maxSlice keeps the name of a slice below the 255 bytes that systemd allows,
// with room for what it adds in paths.
const maxSlice = 200

// RunName is the name of a run's service.
func RunName(r job.Ref) string { return fmt.Sprintf("jobman-%s-%d.service", r.ID, r.Run) }

// ParseRun reads the name of a run's service back.
func ParseRun(unit string) (job.Ref, bool) {
	s, ok1 := strings.CutPrefix(unit, "jobman-")
	s, ok2 := strings.CutSuffix(s, ".service")
	if !ok1 || !ok2 || len(s) < 38 || !job.IsID(s[:36]) || s[36] != '-' {
		return job.Ref{}, false
	}
	n, err := strconv.Atoi(s[37:])
	return job.Ref{ID: job.ID(s[:36]), Run: n}, err == nil && n > 0
}

func pumpName(r job.Ref) string { return fmt.Sprintf("jobman-pump-%s-%d", r.ID, r.Run) }

// SliceName is the slice of a group: jobman.slice for none, else a slice below
// it. Whatever is no letter, digit, _ or . is escaped as systemd-escape(1)
// does it, dashes included, since a dash in a slice's name means nesting. What
// would be too long is cut and made unique by a hash.
func SliceName(group string) string {
	if group == "" {
		return "jobman.slice"
	}
	var b strings.Builder
	for i := 0; i < len(group); i++ {
		c := group[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	name := b.String()
	if len(name) > maxSlice {
		sum := sha256.Sum256([]byte(group))
		cut := maxSlice - 17
		if i := strings.LastIndexByte(name[:cut], '\\'); i > cut-4 {
			cut = i // not within an escape
		}
		name = name[:cut] + "_" + hex.EncodeToString(sum[:8])
	}
	return "jobman-" + name + ".slice"
}

// StepName is the name, without suffix, of the units that take in the ended
// runs of a store. Several stores may be in use, and after an upgrade two
// versions of jobman for a while, so both are in the name.
func StepName(store, exe string) string { return "jobman-step-" + tag(store, exe) }

func netName(store, exe string) string { return "jobman-reconcile-" + tag(store, exe) }

func tag(store, exe string) string {
	sum := sha256.Sum256([]byte(store + "\x00" + exe))
	return hex.EncodeToString(sum[:6])
}

// escapeArgs doubles what systemd would expand.
func escapeArgs(args ...string) []string {
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "$", "$$")
	}
	return args
}
