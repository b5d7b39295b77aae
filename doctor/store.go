package doctor

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// networks are file systems whose locks, or whose order of writes, are not to be
// relied on by several machines at once; in mountinfo fuse ones are fuse.NAME.
var networks = []string{"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "coda", "lustre", "glusterfs", "fuse.sshfs", "fuse.glusterfs",
	"fuse.s3fs", "fuse.rclone", "fuse.ceph", "fuse.davfs", "davfs", "beegfs", "gpfs", "orangefs"}

// FileSystem judges the kind of file system that the store is on.
func FileSystem(kind string) Finding {
	const about = "file system"
	switch {
	case kind == "":
		return Fine(about, "its kind is unknown")
	case slices.Contains(networks, kind):
		return Warn(about, "the store is on %s, over a network: a power cut or a server's restart may damage it, and waiting for files in it is not noticed at once", kind).
			try("jobman --db /var/tmp/jobman-$USER ...")
	case kind == "tmpfs" || kind == "ramfs":
		return Warn(about, "the store is on %s: all jobs are lost when the machine goes down", kind).try("jobman --db DIR ...")
	}
	return Fine(about, "the store is on %s", kind)
}

// FileSystemKind finds the kind of file system that a path, which has no links in it,
// is on, in the text of proc_pid_mountinfo(5).
func FileSystemKind(mountinfo, path string) (kind string) {
	longest := -1
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		fields, rest := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(rest) == 0 {
			continue
		}
		point := unescape.Replace(fields[4])
		within := path == point || strings.HasPrefix(path, strings.TrimSuffix(point, "/")+"/")
		if within && len(point) >= longest { // of two on one point the later one is seen
			longest, kind = len(point), rest[0]
		}
	}
	return kind
}

// Mode is a file of the store, or a directory above it.
type Mode struct {
	Path  string
	Mode  fs.FileMode
	Above bool // it is a directory that the store is in
}

// Modes judges who may read or replace the store.
func Modes(all []Mode) Finding {
	const about = "modes"
	for _, m := range all {
		switch perm := m.Mode.Perm(); {
		case m.Above && perm&0o022 != 0 && m.Mode&fs.ModeSticky == 0:
			return Warn(about, "others may write %s, and so put another store in place of this one", m.Path).try("chmod go-w %s", quote(m.Path))
		case !m.Above && perm&0o077 != 0:
			return Warn(about, "others may read %s (mode %04o)", m.Path, perm).try("chmod go-rwx %s", quote(m.Path))
		}
	}
	return Fine(about, "nobody else can read or replace the store")
}

// quote quotes a path for the shell where that is needed.
func quote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// Room is what is free where the store is.
type Room struct {
	Bytes, Files uint64 // for this user
	Countless    bool   // the file system has no limit of files
}

const (
	fewBytes = 256 << 20
	fewFiles = 2000
)

// Space judges whether there is room for jobs and their output. A full disk loses no
// job: one that was taken waits, and others are refused.
func Space(r Room) Finding {
	const about = "free space"
	switch {
	case r.Bytes < fewBytes:
		return Warn(about, "%d MiB are left; when there are none, jobs are refused, and those there are wait", r.Bytes>>20).
			try("jobman clean --logs --older-than 7d")
	case !r.Countless && r.Files < fewFiles:
		return Warn(about, "%d files can be made; after that jobs are refused, and those there are wait", r.Files).try("jobman clean --older-than 7d")
	}
	return Fine(about, "%.1f GiB", float64(r.Bytes)/(1<<30))
}

// Leases judges what --wait.nonopen-file rests on: err is why a write lease could
// not be had.
func Leases(err error) Finding {
	if err == nil {
		return Fine("leases", "the kernel tells of all processes whether they have a file open, for --wait.nonopen-file")
	}
	return Warn("leases", "there are no write leases here (%v): of files on this file system --wait.nonopen-file sees only what your own processes have open", err)
}

// year2020 is before any build of jobman.
var year2020 = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// Clock judges the clock by when the store was last written.
func Clock(now, written time.Time) Finding {
	const about = "clock"
	switch {
	case now.Before(year2020):
		return Warn(about, "it shows %s; jobs that wait for a time wait for the wrong one", now.Format(time.RFC3339)).try("%s", root("timedatectl set-ntp true"))
	case written.Sub(now) > time.Minute:
		return Warn(about, "it shows %s, but the store was written at %s: it was set back", now.Format(time.RFC3339), written.Format(time.RFC3339)).
			try("%s", root("timedatectl set-ntp true"))
	}
	return Fine(about, "%s", now.Format(time.RFC3339))
}

// Above returns the directories that a path is in, from the innermost.
func Above(path string) (dirs []string) {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		dirs = append(dirs, dir)
		if dir == filepath.Dir(dir) {
			return dirs
		}
	}
}
