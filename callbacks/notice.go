package callbacks

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jobman/job"
)

// Lines is how many of the last lines of output a notice carries, and maxLine what is
// kept of each, in bytes.
const (
	Lines   = 20
	maxLine = 500
)

// Notice is an event as callbacks get it: a script on stdin, a webhook as the body. Keys
// are only ever added. Times are RFC 3339 in UTC.
type Notice struct {
	Schema      int           `json:"schema"` // 1
	Event       job.EventKind `json:"event"`
	EventID     string        `json:"event_id"` // the same for each try
	At          time.Time     `json:"at"`
	JobID       job.ID        `json:"job_id"`
	Name        string        `json:"name"`
	Group       string        `json:"group"`
	Command     []job.Text    `json:"command"`
	Cwd         job.Text      `json:"cwd"`
	Host        string        `json:"host"`
	Result      job.Result    `json:"result"`
	Reason      job.Reason    `json:"reason"`
	Message     string        `json:"message"` // why, a sentence for people
	ExitCode    *int          `json:"exit_code"`
	Signal      *job.Signal   `json:"signal"`
	Run         int           `json:"run"` // 0: there was none
	RunCount    int           `json:"run_count"`
	SubmittedAt time.Time     `json:"submitted_at"`
	StartedAt   *time.Time    `json:"started_at"`
	StoppedAt   *time.Time    `json:"stopped_at"`
	NextAt      *time.Time    `json:"next_at"` // of a retry: when the next run starts
	Output      []string      `json:"output"`  // the last lines of the run's output
}

// NewNotice makes the notice of a job's event.
func NewNotice(j *job.Job, e *job.Event, output []string) *Notice {
	n := &Notice{
		Schema: 1, Event: e.Kind, EventID: e.ID, At: e.At, JobID: j.ID, Name: j.Spec.Name, Group: j.Spec.Group,
		Command: j.Spec.Command, Cwd: j.Spec.Chdir, Host: j.Host, Result: e.Result, Reason: e.Reason, Message: e.Message,
		ExitCode: e.ExitCode, Run: e.Run, RunCount: e.RunCount, SubmittedAt: j.SubmittedAt,
		StartedAt: known(e.StartedAt), StoppedAt: known(e.StoppedAt), NextAt: known(e.NextAt), Output: []string{},
	}
	if e.Signal != "" {
		n.Signal = &e.Signal
	}
	for _, line := range output {
		n.Output = append(n.Output, Clip(line, maxLine))
	}
	return n
}

// Sample is the notice of an event that did not happen.
func Sample(host string, now time.Time) *Notice {
	code := 3
	started := now.Add(-95 * time.Second)
	return &Notice{
		Schema: 1, Event: job.EventJobFailure, EventID: "sample." + strconv.FormatInt(now.UnixNano(), 36), At: now,
		JobID: "00000000-0000-4000-8000-000000000000", Name: "sample", Command: job.Texts([]string{"false"}), Cwd: "/", Host: host,
		Result: job.Failure, Reason: job.ReasonExit, Message: "exited with code 3; this is a test of jobman notify, nothing has failed",
		ExitCode: &code, Run: 1, RunCount: 1, SubmittedAt: started, StartedAt: &started, StoppedAt: &now,
		Output: []string{"This would be the last lines of output."},
	}
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Clip cuts a text that has more than so many bytes, and makes it valid UTF-8.
func Clip(s string, most int) string {
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most] + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Environ are the variables that a script gets of it.
func (n *Notice) Environ() []string {
	code := ""
	if n.ExitCode != nil {
		code = strconv.Itoa(*n.ExitCode)
	}
	env := []string{
		"JOBMAN_EVENT=" + string(n.Event), "JOBMAN_EVENT_ID=" + n.EventID, "JOBMAN_JOB_ID=" + string(n.JobID), "JOBMAN_JOB_NAME=" + n.Name,
		"JOBMAN_RESULT=" + string(n.Result), "JOBMAN_REASON=" + string(n.Reason), "JOBMAN_EXIT_CODE=" + code, "JOBMAN_RUN=" + strconv.Itoa(n.Run),
	}
	for i := range env {
		env[i] = strings.ReplaceAll(env[i], "\x00", "")
	}
	return env
}
