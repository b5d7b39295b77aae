package manager

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"jobman/test/lab"
	"jobman/test/settings"
)

// site is a lab with jobman in it.
type site struct {
	*testing.T
	lab *lab.Lab
	ctx context.Context
}

func (s *site) try(user string, argv ...string) (string, error) {
	out, err := s.lab.Command(s.ctx, user, nil, argv...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// must runs a command that has to succeed.
func (s *site) must(user string, argv ...string) string {
	s.Helper()
	out, err := s.try(user, argv...)
	if err != nil {
		s.Fatalf("%s: %q: %v\n%s", user, argv, err, out)
	}
	return out
}

// sh runs a shell script in the user's home.
func (s *site) sh(user, script string) string {
	s.Helper()
	return s.must(user, "sh", "-c", "cd && "+script)
}

type view struct {
	ID, Status, Result, Reason string
	ExitCode                   *int `json:"exit_code"`
}

func (s *site) show(user, name string) view {
	s.Helper()
	var v view
	if out := s.must(user, "jobman", "show", name, "--json"); json.Unmarshal([]byte(out), &v) != nil {
		s.Fatalf("show %s: %s", name, out)
	}
	return v
}

// ends waits for a job and holds its end against what is wanted: exit 7, or
// another reason.
func (s *site) ends(user, name, want string) {
	s.Helper()
	_, _ = s.try(user, "jobman", "wait", "-q", "--timeout", "20s", name) // ends as the job does
	v := s.show(user, name)
	got := v.Reason
	if v.ExitCode != nil && v.Reason == "exit" {
		b, err := json.Marshal(*v.ExitCode)
		if err != nil {
			s.Fatal(err)
		}
		got = "exit " + string(b)
	}
	if v.Status != "completed" || got != want {
		s.Errorf("%s: %s %s %q, want %q", name, v.Status, v.Result, got, want)
	}
}

func (s *site) eventually(what string, is func() bool) {
	s.Helper()
	for end := time.Now().Add(60 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("not within a minute: %s", what)
		}
	}
}

// running waits until a command has made the file of that name.
func (s *site) running(user, name string) {
	s.Helper()
	s.eventually(name+" runs", func() bool {
		_, err := s.try(user, "sh", "-c", "cd && test -e "+name+".runs")
		return err == nil
	})
}

// trapping submits a job that answers a stop with code 0.
func (s *site) trapping(user, name string) {
	s.Helper()
	s.sh(user, "jobman run -q --name "+name+" -- sh -c 'trap \"exit 0\" TERM; touch "+name+".runs; while :; do sleep 0.05; done'")
	s.running(user, name)
}

// until submits a job that ends with code 7 once there is a file.
func (s *site) until(user, name, file string) {
	s.Helper()
	s.sh(user, "jobman run -q --name "+name+" -- sh -c 'touch "+name+".runs; until test -e "+file+"; do sleep 0.05; done; echo out; exit 7'")
	s.running(user, name)
}

// works runs a job from beginning to end.
func (s *site) works(user string) {
	s.Helper()
	if out, err := s.try(user, "jobman", "run", "-q", "-f", "--", "echo", "works"); err != nil || !strings.Contains(out, "works") {
		s.Errorf("the next job of %s: %v\n%s", user, err, out)
	}
}

func TestTheManagerMisbehaves(t *testing.T) {
	settings.NeedLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	settings.Packages(ctx, t, map[string]string{"cron": "/usr/sbin/cron"})
	jobman := settings.Build(ctx, t, "")
	l := settings.Lab(ctx, t)
	if err := l.Install(ctx, jobman, "jobman"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		run  func(*site)
	}{
		{"daemon-reexec", reexec},
		{"journald restarted", journald},
		{"there is no journald", journaldless},
		{"the bus is gone", bus},
		{"a user's manager is killed", managerKilled},
		{"a user's manager exits", managerExits},
		{"a thousand jobs wait for one instant", atOnce},
		{"lingering", lingers},
		{"reboot", reboot},
		{"jobs go on after a reboot", goesOn},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(&site{t, l, ctx}) })
	}
}

func reexec(s *site) {
	for user, systemctl := range map[string]string{"root": "systemctl", "alice": "systemctl --user"} {
		s.until(user, "reexec", "reexec.go")
		s.sh(user, systemctl+" daemon-reexec")
		if v := s.show(user, "reexec"); v.Status != "running" {
			s.Errorf("%s: after the daemon-reexec it is %s", user, v.Status)
		}
		// In the middle of it, too.
		s.sh(user, systemctl+" daemon-reexec & touch reexec.go; wait")
		s.ends(user, "reexec", "exit 7")
		if out := s.must(user, "jobman", "logs", "--raw", "reexec"); out != "out" {
			s.Errorf("%s: its output is %q", user, out)
		}
		s.works(user)
	}
}

func journald(s *site) {
	for _, sink := range []string{"both", "journal"} {
		name := "printing-" + sink
		s.sh("root", "jobman run -q --name "+name+" --log.sink "+sink+" -- sh -c 'touch "+name+".runs; i=0; until test -e "+name+".go; do i=$((i+1)); echo $i; sleep 0.01; done; exit 7'")
		s.running("root", name)
		s.must("root", "systemctl", "restart", "systemd-journald")
		s.sh("root", "touch "+name+".go")
		s.ends("root", name, "exit 7")
		if gaps := s.sh("root", "jobman logs -q --raw "+name+` | awk '$1 != NR { print "line " NR " is " $1 }'`); gaps != "" {
			s.Errorf("sink %s: its output has gaps: %s", sink, gaps)
		}
	}
	s.works("root")
}

// journaldless: files are what is left, and journald alone is refused. What is
// copied goes on when journald is back.
func journaldless(s *site) {
	s.sh("root", "jobman run -q --name copied -- sh -c 'echo before; touch copied.runs; until test -e without.go; do sleep 0.05; done; echo without; until test -e back.go; do sleep 0.05; done; until test -e over.go; do echo back; sleep 0.05; done'")
	s.running("root", "copied")
	s.must("root", "systemctl", "stop", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald-audit.socket", "systemd-journald")
	s.sh("root", "rm -f /run/systemd/journal/socket && touch without.go")
	for _, user := range []string{"root", "alice"} {
		s.works(user)
		out, err := s.try(user, "jobman", "run", "--log.sink", "journal", "--", "true")
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 6 || !strings.Contains(out, "there is no journald") {
			s.Errorf("%s: journald alone: %v\n%s", user, err, out)
		}
		s.sh(user, "jobman run -q --name filed -- echo filed")
		s.ends(user, "filed", "exit 0")
		if out := s.must(user, "jobman", "show", "filed"); !strings.Contains(out, "file: there is no journald") {
			s.Errorf("%s: %s", user, out)
		}
	}
	s.must("root", "systemctl", "start", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald")
	s.sh("root", "touch back.go")
	s.eventually("the copy goes on", func() bool {
		out, _ := s.try("root", "journalctl", "-q", "JOBMAN_JOB_NAME=copied", "-o", "cat")
		return strings.HasPrefix(out, "before\nback")
	})
	s.sh("root", "touch over.go")
	s.ends("root", "copied", "exit 0")
	if out := s.must("root", "jobman", "logs", "--raw", "copied"); !strings.HasPrefix(out, "before\nwithout\nback") {
		s.Errorf("its output is %q", out)
	}
	s.eventually("what is not copied is counted", func() bool {
		return !strings.Contains(s.must("root", "jobman", "show", "copied", "--json"), `"uncopied":0`)
	})
}

func bus(s *site) {
	s.until("root", "busless", "bus.go")
	s.must("root", "systemctl", "stop", "dbus.socket", "dbus.service")
	s.works("root")
	s.sh("root", "touch bus.go")
	s.ends("root", "busless", "exit 7")
	s.sh("root", "jobman run -q --name unbus sleep 1000 && jobman kill -q unbus")
	s.ends("root", "unbus", "killed")
	s.must("root", "systemctl", "start", "dbus.socket")
	s.works("root")
}

// managerOf returns the pid of alice's manager.
func (s *site) managerOf(user string) string {
	s.Helper()
	return s.must("root", "systemctl", "show", "-P", "MainPID", "user@"+s.must("root", "id", "-u", user))
}

func managerKilled(s *site) {
	for _, name := range []string{"first", "second", "third"} {
		s.until("alice", name, "never")
	}
	s.must("root", "kill", "-9", s.managerOf("alice"))
	s.eventually("the commands are gone", func() bool {
		out, _ := s.try("root", "pgrep", "-u", "alice", "-f", "until test") // fails where there are none
		return out == ""
	})
	// There is no manager to ask, and no process of it either.
	if out := s.must("alice", "jobman", "list", "--status", "active"); strings.Contains(out, "running") {
		s.Errorf("without a manager:\n%s", out)
	}
	s.works("alice") // under the fork supervisor
	s.must("root", "systemctl", "start", "user@"+s.must("root", "id", "-u", "alice"))
	for _, name := range []string{"first", "second", "third"} {
		s.ends("alice", name, "lost")
	}
	s.works("alice")
	if n := s.sh("alice", "ls first.runs second.runs third.runs | wc -l"); n != "3" {
		s.Errorf("%s commands were executed", n)
	}
}

func managerExits(s *site) {
	s.trapping("alice", "trapping")
	before := s.managerOf("alice")
	s.must("alice", "systemctl", "--user", "exit")
	s.eventually("it is gone", func() bool { return s.managerOf("alice") != before })
	s.must("root", "systemctl", "start", "user@"+s.must("root", "id", "-u", "alice"))
	// It was told to go, and went: its code says nothing about its work.
	s.ends("alice", "trapping", "lost")
	s.works("alice")
}

func reboot(s *site) {
	s.trapping("root", "trapping")
	s.until("root", "sleeping", "never")
	s.trapping("alice", "again")
	s.until("alice", "dreaming", "never")
	if err := s.lab.Reboot(s.ctx); err != nil {
		s.Fatal(err)
	}
	for user, names := range map[string][]string{"root": {"trapping", "sleeping"}, "alice": {"again", "dreaming"}} {
		for _, name := range names {
			s.ends(user, name, "lost")
		}
		s.works(user)
	}
}
