package storetest

import (
	"time"

	"jobman/job"
)

// Job returns a job that was submitted now and whose first run is intended.
func Job(name, group string) *job.Job {
	now := time.Now().UTC()
	return &job.Job{
		ID: job.NewID(),
		Spec: job.Spec{
			Command: []job.Text{"sh", "-c", "echo <&> \x00\xff"}, Name: name, Group: group, Chdir: "/tmp",
			StopSignal: job.DefaultStopSignal, StopGrace: job.DefaultStopGrace,
			Log:   job.Log{Stdout: true, Stderr: true, PrefixTimestamp: true},
			Umask: 0o22,
		},
		Phase: job.Starting, SubmittedAt: now, RunCount: 1,
		Backend: "systemd", Scope: "user", HostID: "0123456789abcdef0123456789abcdef", Host: "host",
		Runs: []job.Run{{N: 1, Phase: job.Starting, Manager: "boot 1", IntendedAt: now}},
	}
}

// Complete ends a job and its last run.
func Complete(j *job.Job, result job.Result) {
	now := time.Now().UTC()
	code := 0
	r := j.Last()
	r.Phase, r.Result, r.Reason, r.ExitCode, r.StoppedAt = job.Done, result, job.ReasonExit, &code, now
	j.Phase, j.Result, j.Reason, j.StoppedAt = job.Done, result, job.ReasonExit, now
}
