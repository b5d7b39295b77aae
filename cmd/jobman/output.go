package main

import "jobman/job"

// logFlags are what is kept of a job's output, and how much of it.
type logFlags struct {
	Stdout          bool   `default:"true" negatable:"" help:"Keep the job's stdout (default: yes)."`
	Stderr          bool   `default:"true" negatable:"" help:"Keep the job's stderr (default: yes)."`
	PrefixTimestamp bool   `default:"true" negatable:"" help:"Prefix each line with its time (default: yes)."`
	Sink            string `enum:"auto,both,file,journal" default:"auto" placeholder:"SINK" help:"Where output goes: file, journal (journald alone, lossy), both, or auto (default): both where journald runs, else file."`

	FileMaxBytes job.Size `name:"file.max-bytes" placeholder:"SIZE" help:"Begin another file when one is this big, such as 10MB (default: one file)."`
	RunMaxFiles  *int     `name:"run.max-files" placeholder:"N" help:"Keep that many files of a run, and delete the oldest (default: all)."`
	JobMaxRuns   *int     `name:"job.max-runs" placeholder:"N" help:"Keep the output of that many runs of the job (default: of all)."`
	JobMaxBytes  job.Size `name:"job.max-bytes" placeholder:"SIZE" help:"Delete the output of the oldest completed runs of all jobs when all output is bigger than this (default: no limit)."`
}

func (l *logFlags) log() (job.Log, error) {
	out := job.Log{Stdout: l.Stdout, Stderr: l.Stderr, PrefixTimestamp: l.PrefixTimestamp}
	if l.Sink != string(job.SinkAuto) {
		out.Sink = job.Sink(l.Sink)
	}
	out.File.MaxBytes, out.Job.MaxBytes = l.FileMaxBytes, l.JobMaxBytes
	for _, limit := range []struct {
		name  string
		given *int
		to    *int
	}{{"run.max-files", l.RunMaxFiles, &out.Run.MaxFiles}, {"job.max-runs", l.JobMaxRuns, &out.Job.MaxRuns}} {
		if limit.given == nil {
			continue
		}
		if *limit.given < 1 {
			return out, usage("--log.%s is %d; give a number from 1", limit.name, *limit.given)
		}
		*limit.to = *limit.given
	}
	return out, nil
}
