package manager

import (
	"strings"
	"time"
)

// stopTimeout is less than the 90 s for which systemd waits for what ignores SIGTERM.
const stopTimeout = time.Minute

// goesOn: what waits and what a reboot ended goes on at boot by itself, once
// `jobman setup` was called.
func goesOn(s *site) {
	users := []string{"root", "alice"}
	for _, user := range users {
		if out := s.must(user, "jobman", "setup"); !strings.Contains(out, "jobman-recover.service: jobs go on at boot") {
			s.Errorf("setup of %s: %s", user, out)
		}
		if out := s.must(user, "jobman", "setup"); !strings.Contains(out, "already") {
			s.Errorf("the second setup of %s: %s", user, out)
		}
		// rerun and fail are ended by the reboot in their first run.
		script := `'echo $JOBMAN_RUN >> $JOBMAN_JOB_NAME.starts; test $JOBMAN_RUN -gt 1 || { touch $JOBMAN_JOB_NAME.runs; exec sleep 1000; }'`
		s.sh(user, "jobman run -q --name rerun --on-reboot rerun --retries.num-runs 1 -- sh -c "+script)
		s.sh(user, "jobman run -q --name retried --retry 1 -- sh -c "+script)
		s.running(user, "rerun")
		s.running(user, "retried")
		s.sh(user, "jobman run -q --name time --wait.timedelta 8s -- touch time.done")
		s.sh(user, "jobman run -q --name file --wait.file comes -- touch file.done")
		s.sh(user, "jobman run -q --name glob --wait.file 'sub/*/comes' -- touch glob.done")
		s.sh(user, "jobman run -q --name script --wait.script /usr/bin/test --wait.abort-datetime +5s --wait.poll-interval 1s -- true")
		s.sh(user, "jobman run -q --name delayed --retries.num-runs 2 --retries.delay 8s -- sh -c 'echo $JOBMAN_RUN >> delayed.starts'")
		s.sh(user, "jobman run -q --name dependent --wait.job time -- touch dependent.done")
		// What can't be told before it is told after.
		s.sh(user, `printf '#!/bin/sh\ntest -e comes && echo $JOBMAN_EVENT_ID >> told.done\n' > tell && chmod +x tell`)
		s.sh(user, "jobman run -q --name tells --notify script:./tell -- true")
		s.eventually("the first try to tell", func() bool {
			return strings.Contains(s.must(user, "jobman", "show", "tells"), "pending, after 1 tries")
		})
		s.eventually("the first run of delayed", func() bool {
			_, err := s.try(user, "sh", "-c", "cd && grep 1 delayed.starts")
			return err == nil
		})
	}
	// Without systemd it is cron that calls jobman.
	const fork = "export JOBMAN_BACKEND=fork; "
	if out := s.sh("bob", fork+"jobman setup"); out != "added the entry @reboot of your crontab: jobs go on at boot" {
		s.Errorf("setup of bob: %s", out)
	}
	if out := s.sh("bob", fork+"jobman setup"); !strings.Contains(out, "already") {
		s.Errorf("the second setup of bob: %s", out)
	}
	s.sh("bob", fork+"jobman run -q --name time --wait.timedelta 8s -- touch time.done")
	s.sh("bob", fork+"jobman run -q --name file --wait.file comes -- touch file.done")
	s.sh("bob", fork+"jobman run -q --name retried --retry 1 -- sh -c 'echo $JOBMAN_RUN >> retried.starts; test $JOBMAN_RUN -gt 1 || { touch retried.runs; exec sleep 1000; }'")
	s.running("bob", "retried")
	began := time.Now()
	if err := s.lab.Reboot(s.ctx); err != nil {
		s.Fatal(err)
	}
	if took := time.Since(began); took > stopTimeout {
		s.Errorf("the shutdown took %s: systemd has waited for something of bob's", took)
	}
	for _, user := range users {
		s.sh(user, "mkdir -p sub/dir && touch comes sub/dir/comes")
	}
	s.sh("bob", "touch comes")
	// Nobody calls jobman: only the files that the commands make are looked at.
	for _, user := range users {
		for _, name := range []string{"time.done", "file.done", "glob.done", "dependent.done", "told.done"} {
			s.eventually(user+": "+name, func() bool {
				_, err := s.try(user, "sh", "-c", "cd && test -e "+name)
				return err == nil
			})
		}
		for _, name := range []string{"rerun", "retried", "delayed"} {
			s.eventually(user+": "+name, func() bool {
				out, _ := s.try(user, "sh", "-c", "cd && cat "+name+".starts")
				return out == "1\n2"
			})
		}
	}
	for _, name := range []string{"time.done", "file.done", "retried.starts"} {
		s.eventually("bob: "+name, func() bool {
			out, err := s.try("bob", "sh", "-c", "cd && cat "+name)
			return err == nil && (name != "retried.starts" || out == "1\n2")
		})
	}
	if out := s.sh("bob", fork+"jobman setup --undo"); !strings.Contains(out, "removed the entry @reboot") {
		s.Errorf("setup --undo of bob: %s", out)
	}
	if out, err := s.try("bob", "crontab", "-l"); err == nil {
		s.Errorf("bob's crontab: %s", out)
	}
	for _, user := range users {
		for _, name := range []string{"rerun", "retried", "time", "file", "glob", "delayed", "dependent"} {
			s.ends(user, name, "exit 0")
		}
		s.ends(user, "script", "wait-abort")
		for name, failures := range map[string]string{"rerun": "0", "retried": "1"} {
			out := s.must(user, "jobman", "show", name, "--json")
			if !strings.Contains(out, `"failure_count":`+failures) || !strings.Contains(out, `"run_count":2`) || !strings.Contains(out, `"reason":"lost"`) {
				s.Errorf("%s of %s: %s", name, user, out)
			}
		}
		if out := s.must(user, "jobman", "setup", "--undo"); !strings.Contains(out, "removed") {
			s.Errorf("setup --undo of %s: %s", user, out)
		}
	}
	if out, _ := s.try("root", "systemctl", "cat", "jobman-recover.service"); strings.Contains(out, "ExecStart") {
		s.Errorf("the unit is still there:\n%s", out)
	}
}

// lingers: a user's systemd is started where there is none, and where that is not
// allowed it is said.
func lingers(s *site) {
	s.must("root", "useradd", "-m", "carol")
	// Nobody has logged in, as under cron: there is no manager, and one is started.
	out := s.sh("carol", "jobman run --name first -- true")
	if !strings.Contains(out, "started your systemd") {
		s.Errorf("without a manager: %s", out)
	}
	s.ends("carol", "first", "exit 0")
	if out := s.must("carol", "jobman", "show", "first", "--json"); !strings.Contains(out, `"backend":"systemd"`) {
		s.Errorf("without a manager: %s", out)
	}
	// With a manager that would end at logout.
	uid := s.must("root", "id", "-u", "carol")
	s.must("root", "loginctl", "disable-linger", "carol")
	s.must("root", "sh", "-c", "systemctl reset-failed user@"+uid+"; systemctl start user@"+uid)
	out = s.sh("carol", "jobman run --name second -- true; jobman run --name third -- true")
	if strings.Count(out, "turned lingering on") != 1 {
		s.Errorf("without lingering: %s", out)
	}
	s.ends("carol", "third", "exit 0")
	// Where it can't be turned on, that is said; and without a manager there is
	// the fork supervisor.
	s.must("root", "loginctl", "disable-linger", "carol")
	s.must("root", "sh", "-c", "systemctl reset-failed user@"+uid+"; systemctl start user@"+uid)
	s.must("root", "systemctl", "mask", "--runtime", "--now", "systemd-logind")
	out = s.sh("carol", "jobman run --name warned -- true")
	if !strings.Contains(out, "ends when you log out") || !strings.Contains(out, "enable-linger") {
		s.Errorf("without lingering: %s", out)
	}
	s.ends("carol", "warned", "exit 0")
	s.must("root", "systemctl", "stop", "user@"+uid, "user-runtime-dir@"+uid)
	out = s.sh("carol", "jobman run --name without -- true")
	if !strings.Contains(out, "backend fork: there is no systemd for the user") {
		s.Errorf("without a manager: %s", out)
	}
	s.ends("carol", "without", "exit 0")
	s.must("root", "systemctl", "unmask", "--runtime", "systemd-logind")
	s.must("root", "systemctl", "start", "systemd-logind")
	// Root may: it gets a manager of its own, once.
	out = s.sh("root", "jobman --db ~/user.db --user run --name mine -- true")
	if !strings.Contains(out, "started your systemd") {
		s.Errorf("root: %s", out)
	}
	if out = s.sh("root", "jobman --db ~/user.db --user run --name mine -- sh -c 'exit 3'"); strings.Contains(out, "systemd") {
		s.Errorf("root, again: %s", out)
	}
	if out, _ = s.try("root", "sh", "-c", "jobman --db ~/user.db --user wait mine; jobman --db ~/user.db --user show mine --json"); !strings.Contains(out, `"backend":"systemd","scope":"user"`) || !strings.Contains(out, `"exit_code":3`) {
		s.Errorf("root: %s", out)
	}
	s.must("root", "loginctl", "disable-linger", "root")
}

// atOnce: a thousand jobs wait for one instant.
func atOnce(s *site) {
	const jobs = 1000
	s.sh("root", `at=$(date -d +20seconds +%s); for i in $(seq 1000); do echo "{\"command\":[\"sh\",\"-c\",\"echo $i >> instant\"],\"name\":\"instant\",\"wait\":{\"datetime\":\"@$at\"}}"; done | jobman run --from - > instant.ids; test $(wc -l < instant.ids) -eq 1000; test ! -e instant`)
	if out := s.sh("root", "jobman list --status running --name instant -q | wc -l"); out != "0" {
		s.Errorf("%s jobs run already", out)
	}
	slowest := time.Duration(0)
	done := func() bool {
		began := time.Now()
		_, _ = s.try("root", "systemctl", "is-system-running") // fails where it is degraded
		slowest = max(slowest, time.Since(began))
		out, _ := s.try("root", "sh", "-c", "wc -l < /root/instant")
		return out == "1000"
	}
	for end := time.Now().Add(90 * time.Second); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			out, _ := s.try("root", "sh", "-c", "wc -l < /root/instant; jobman list --status active | head -5")
			s.Fatalf("of %d jobs these started: %s", jobs, out)
		}
	}
	if out := s.sh("root", "sort -u instant | wc -l"); out != "1000" {
		s.Errorf("%s of %d jobs started once", out, jobs)
	}
	s.Logf("the slowest systemctl is-system-running meanwhile: %v", slowest.Round(time.Millisecond))
	s.sh("root", "jobman wait -q --timeout 60s $(cat instant.ids)")
}
