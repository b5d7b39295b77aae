package tree

import (
	"bytes"
	"os"
	"path/filepath"
	"time"

	"jobman/job"
)

// The state files, as the seed document draws them: status, result, times.
type (
	times struct {
		Start *time.Time `json:"start"`
		Stop  *time.Time `json:"stop"`
	}
	jobStateFile struct {
		Status job.Status  `json:"status"`
		Result *job.Result `json:"result"`
		Reason *job.Reason `json:"reason"`
		Times  times       `json:"times"`
		Job    *job.Job    `json:"job"`
	}
	runStateFile struct {
		Status  job.Status  `json:"status"`
		RetCode *int        `json:"ret_code"`
		Result  *job.Result `json:"result"`
		Times   times       `json:"times"`
		Run     *job.Run    `json:"run"`
	}
)

func jobState(j *job.Job) jobStateFile {
	return jobStateFile{j.Status(), known(j.Result), known(j.Reason), times{known(j.StartedAt), known(j.StoppedAt)}, j}
}

func runState(r *job.Run) runStateFile {
	return runStateFile{r.Phase.Status(), r.ExitCode, known(r.Result), times{known(r.StartedAt), known(r.StoppedAt)}, r}
}

// known returns nil for what is unknown, so that JSON says null.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// MarkRunning notes in the state files that the run was executed. The index is
// not told: it would cost a commit a run, and learns it from the claim.
func (r Run) MarkRunning(c job.Claim) error {
	if err := markRunning(r.File("state"), c.At); err != nil {
		return err
	}
	return markRunning(filepath.Join(r.Job(), "state"), c.At)
}

// markRunning changes status and start in a state file as it was submitted, and
// leaves a file that is otherwise as it is. It works on the text: every run pays
// for it, and most of the time would go into decoding what is written unchanged.
func markRunning(file string, start time.Time) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	at, err := start.MarshalJSON()
	if err != nil {
		return err
	}
	for _, change := range [][2]string{
		{`{"status":"` + string(job.Pending) + `"`, `{"status":"` + string(job.Active) + `"`},
		{`"times":{"start":null`, `"times":{"start":` + string(at)},
	} {
		// The first there is: what is in the job itself comes later.
		b = bytes.Replace(b, []byte(change[0]), []byte(change[1]), 1)
	}
	return WriteFile(file, b)
}

// ReadState reads a job and its runs back from their state files, for a
// rebuild of the index.
func (t Tree) ReadState(id job.ID) (*job.Job, error) {
	f := jobStateFile{Job: new(job.Job)}
	if err := readJSON(filepath.Join(t.Job(id), "state"), &f); err != nil {
		return nil, err
	}
	for n := 1; n <= f.Job.RunCount; n++ {
		run := runStateFile{Run: new(job.Run)}
		if err := readJSON(t.Run(job.Ref{ID: id, Run: n}).File("state"), &run); err != nil {
			return nil, err
		}
		f.Job.Runs = append(f.Job.Runs, *run.Run)
	}
	return f.Job, nil
}
