package doctor

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"
)

func TestFindings(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		f     Finding
		level Level
		says  string
		hint  string // a part of it
	}{
		"an old systemd":                   {Version("241", "system"), Problem, "too old", "--backend fork"},
		"the oldest systemd":               {Version("244", "user"), OK, "244", ""},
		"Debian 12":                        {Version("252.39-1~deb12u1", "user"), OK, "252.39", ""},
		"Ubuntu 24.04":                     {Version("255.4-1ubuntu8", "user"), Warning, "at the last logout", "Restart=on-failure"},
		"Ubuntu 24.04 as root":             {Version("255.4-1ubuntu8", "system"), OK, "journalctl JOBMAN_JOB_ID=ID", ""},
		"256 before the fix":               {Version("256.2", "user"), Warning, "at the last logout", "jobman-restart.conf"},
		"256 with the fix":                 {Version("256.3", "user"), OK, "256.3", ""},
		"a release candidate":              {Version("v257~rc1", "user"), OK, "257", ""},
		"no version":                       {Version("", "user"), Warning, "can't be read", ""},
		"a manager that stays dead":        {Manager("no"), Warning, "nothing starts it again", "Restart=on-failure"},
		"a manager that comes back":        {Manager("on-failure"), OK, "on-failure", ""},
		"a manager nobody knows":           {Manager(""), Warning, "can't be told", ""},
		"lingering":                        {Lingering(true), OK, "outlive", ""},
		"no lingering":                     {Lingering(false), Warning, "end at logout", "jobman setup"},
		"no setup":                         {AtBoot(Boot{}), Warning, "not by themselves", "jobman setup"},
		"a unit that is gone":              {AtBoot(Boot{Noted: true, File: "/u"}), Warning, "/u is gone", "jobman setup"},
		"a unit of what is gone":           {AtBoot(Boot{Noted: true, Program: "/p"}), Warning, "not there", "jobman setup"},
		"a unit that is off":               {AtBoot(Boot{Noted: true, Program: "/p", Works: true}), Warning, "not enabled", "setup --undo"},
		"setup":                            {AtBoot(Boot{Noted: true, Program: "/p", Works: true, Enabled: true}), OK, "by themselves", ""},
		"orphans":                          {FailedUnits("user", nil, []string{"a.service", "b.service"}), Warning, "2 units", "systemctl --user reset-failed a.service b.service"},
		"failed units":                     {FailedUnits("user", []string{"a.service"}, nil), OK, "a.service", ""},
		"no failed units":                  {FailedUnits("user", nil, nil), OK, "none", ""},
		"no journald":                      {Journald(Journal{Why: "none", Sink: "auto"}), OK, "files", ""},
		"no journald, and wanted":          {Journald(Journal{Why: "none", Sink: "journal"}), Problem, "refused", "config show"},
		"journald":                         {Journald(Journal{Runs: true, Sink: "auto", Scope: "system"}), OK, "a copy", ""},
		"journald of a user":               {Journald(Journal{Runs: true, Sink: "both", Scope: "user"}), OK, "rate limit", ""},
		"journald alone":                   {Journald(Journal{Runs: true, Sink: "journal", Scope: "system"}), OK, "without a rate limit", ""},
		"journald alone of a user":         {Journald(Journal{Runs: true, Sink: "journal", Scope: "user", Burst: 10000}), Warning, "drops", "LogRateLimitBurst=100000000"},
		"journald alone without the limit": {Journald(Journal{Runs: true, Sink: "journal", Scope: "user", Burst: 100000000}), OK, "without a rate limit", ""},
		"files alone":                      {Journald(Journal{Runs: true, Sink: "file", Scope: "user"}), OK, "log.sink says", ""},
		"a local disk":                     {FileSystem("ext4"), OK, "ext4", ""},
		"a network":                        {FileSystem("nfs4"), Warning, "over a network", "--db"},
		"memory":                           {FileSystem("tmpfs"), Warning, "lost", "--db"},
		"private":                          {Modes([]Mode{{Path: "/s", Mode: fs.ModeDir | 0o700}, {Path: "/tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777, Above: true}}), OK, "nobody", ""},
		"readable":                         {Modes([]Mode{{Path: "/s", Mode: 0o640}}), Warning, "mode 0640", "chmod go-rwx /s"},
		"replaceable":                      {Modes([]Mode{{Path: "/a b", Mode: fs.ModeDir | 0o775, Above: true}}), Warning, "in place of", "chmod go-w '/a b'"},
		"room":                             {Space(Room{Bytes: 5 << 30, Files: 1e6}), OK, "5.0 GiB", ""},
		"little room":                      {Space(Room{Bytes: 5 << 20, Files: 1e6}), Warning, "5 MiB", "jobman clean --logs"},
		"few files":                        {Space(Room{Bytes: 5 << 30, Files: 10}), Warning, "10 files", "jobman clean"},
		"btrfs":                            {Space(Room{Bytes: 5 << 30, Countless: true}), OK, "GiB", ""},
		"leases":                           {Leases(nil), OK, "all processes", ""},
		"no leases":                        {Leases(errors.New("invalid argument")), Warning, "invalid argument", ""},
		"the clock":                        {Clock(now, now.Add(-time.Hour)), OK, "2026", ""},
		"no clock":                         {Clock(time.Unix(0, 0), time.Time{}), Warning, "1970", "set-ntp"},
		"a clock set back":                 {Clock(now, now.Add(time.Hour)), Warning, "set back", "set-ntp"},
		"inotify":                          {Watching(Inotify{10, 128, 10, 1000}), OK, "10 of 128", ""},
		"few instances":                    {Watching(Inotify{120, 128, 10, 1000}), Warning, "120 of 128", "max_user_instances"},
		"few watches":                      {Watching(Inotify{10, 128, 999, 1000}), Warning, "999 of 1000", "max_user_watches"},
		"all controllers":                  {Controllers(true, []string{"cpu", "memory", "pids"}, nil, "user"), OK, "enforced", ""},
		"no controllers":                   {Controllers(true, nil, nil, "user"), Warning, "MemoryMax=, TasksMax=, CPUQuota= are accepted", ""},
		"none for users":                   {Controllers(true, []string{"memory", "pids"}, []string{"cpu", "memory", "pids"}, "user"), Warning, "CPUQuota= is accepted", "Delegate=cpu"},
		"version 1":                        {Controllers(false, nil, nil, "system"), Warning, "version 1", ""},
		"nothing to do":                    {SafetyNet(0, time.Hour), OK, "no job", ""},
		"the net":                          {SafetyNet(1, time.Minute), OK, "1 incomplete job 1m0s ago", ""},
		"no net":                           {SafetyNet(2, time.Hour), Warning, "1h0m0s ago", "jobman list"},
		"this host":                        {Hosts("a", nil), OK, "this one's", ""},
		"another host":                     {Hosts("a", []string{"b", "c", "b"}), OK, "3 incomplete jobs are of b, c", ""},
		"a clone":                          {Hosts("a", []string{"a"}), Warning, "1 incomplete job is", "jobman rerun"},
	} {
		if c.f.Level != c.level || !strings.Contains(c.f.Message, c.says) || !strings.Contains(c.f.Hint, c.hint) || (c.hint == "") != (c.f.Hint == "") {
			t.Errorf("%s: %+v\nwant %s, saying %q, with the hint %q", name, c.f, c.level, c.says, c.hint)
		}
		if strings.ContainsAny(c.f.Message+c.f.Hint, "\n\t") || strings.Contains(c.f.Message+c.f.Hint, "%!") {
			t.Errorf("%s: %+v is not fit to be one line", name, c.f)
		}
	}
}

func TestTheFileSystemOfAPathIsTheInnermost(t *testing.T) {
	const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /home rw shared:2 - xfs /dev/sdb rw
31 30 0:26 / /home/al\040ice rw - nfs4 nas:/x rw
32 22 0:27 / /homes rw - tmpfs tmpfs rw
33 30 0:28 / /home/al\040ice rw - fuse.sshfs h:/x rw
nonsense
`
	for path, want := range map[string]string{
		"/": "ext4", "/etc": "ext4", "/home": "xfs", "/home/bob/.jobman": "xfs", "/homesick": "ext4", "/homes/x": "tmpfs",
		"/home/al ice/.jobman/.db": "fuse.sshfs",
	} {
		if got := FileSystemKind(mountinfo, path); got != want {
			t.Errorf("%s is on %q, want %q", path, got, want)
		}
	}
}
