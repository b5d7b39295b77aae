package job

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Spec is what a job is to do, as it was submitted: resolved once, complete,
// never changed. Its JSON keys are the names of the options of `run`, so a
// stored spec can be submitted again. It holds no environment, which may hold
// secrets and is kept apart.
type Spec struct {
	Command    []Text   `json:"command"`
	Name       string   `json:"name"`
	Group      string   `json:"group"`
	Chdir      Text     `json:"chdir"` // absolute
	StopSignal Signal   `json:"stop-signal"`
	StopGrace  Duration `json:"stop-grace"`
	Log        Log      `json:"log"`
	Wait       Wait     `json:"wait,omitzero"`
	Retries    Retries  `json:"retries"`
	Timeout    Timeout  `json:"timeout,omitzero"`
	OnReboot   OnReboot `json:"on-reboot,omitzero"` // default fail
	Property   []string `json:"property,omitempty"` // KEY=VALUE, see systemd.resource-control(5)
	UID        string   `json:"uid,omitzero"`       // name or number; system scope only
	GID        string   `json:"gid,omitzero"`
	Notify     Notify   `json:"notify,omitzero"`

	// Resolved: the spec is complete. Submitted again, it gets nothing from the
	// configuration.
	Resolved bool `json:"resolved,omitzero"`

	// What the command inherits from the submitter, as with nohup(1).
	Umask  Umask            `json:"umask"`
	Nice   int              `json:"nice"`
	Limits map[string]Limit `json:"limits,omitempty"` // see setrlimit(2); by lower-case name: "nofile"
}

// Log says what is kept of a run's output, where, and how much of it. Limits are 0
// where there is none.
type Log struct {
	Stdout          bool `json:"stdout"`           // default true
	Stderr          bool `json:"stderr"`           // default true
	PrefixTimestamp bool `json:"prefix-timestamp"` // default true
	Sink            Sink `json:"sink,omitzero"`    // default auto

	File struct {
		MaxBytes Size `json:"max-bytes,omitzero"` // of a file before the next is begun
	} `json:"file,omitzero"`
	Run struct {
		MaxFiles int `json:"max-files,omitzero"` // of a run; the oldest are deleted
	} `json:"run,omitzero"`
	Job struct {
		MaxRuns  int  `json:"max-runs,omitzero"`  // of the job whose output is kept
		MaxBytes Size `json:"max-bytes,omitzero"` // of the output of all runs of all jobs
	} `json:"job,omitzero"`
}

// Check tells why output can't be kept like that.
func (l *Log) Check() error {
	switch {
	case l.File.MaxBytes < 0:
		return errors.New("log.file.max-bytes is negative")
	case l.Run.MaxFiles < 0:
		return errors.New("log.run.max-files is negative")
	case l.Job.MaxRuns < 0:
		return errors.New("log.job.max-runs is negative")
	case l.Job.MaxBytes < 0:
		return errors.New("log.job.max-bytes is negative")
	}
	switch l.Sink {
	case "", SinkAuto, SinkBoth, SinkFile, SinkJournal:
		return nil
	}
	return fmt.Errorf("log.sink %q is none: auto, both, file or journal", l.Sink)
}

// Timeout limits how long things may take; 0: no limit.
type Timeout struct {
	Run Duration `json:"run,omitzero"`
	Job Duration `json:"job,omitzero"` // from the start of the first run
}

// OnReboot says what becomes of a job whose run a reboot ended.
type OnReboot string

// What may become of it.
const (
	OnRebootFail  OnReboot = "fail"  // the run counts as a failure
	OnRebootRerun OnReboot = "rerun" // it counts for nothing, and a new run starts
)

// DefaultStopSignal and DefaultStopGrace hold where --stop-signal and
// --stop-grace are not given.
const (
	DefaultStopSignal = Signal("TERM")
	DefaultStopGrace  = Duration(10e9)
)

// DefaultName is the name of a job that was given none: its command line, the
// words joined by one space. It is kept as it is, newlines and all; whoever
// prints it strips what must not be printed.
func DefaultName(command []Text) string {
	return strings.ToValidUTF8(strings.Join(Strings(command), " "), "\uFFFD")
}

// maxShortName bounds ShortName, in bytes: the name of a job that was given none is
// its whole command line, and Linux takes no variable of more than 128 KiB.
const maxShortName = 4096

// ShortName is the name, cut to what a variable of the environment may hold.
func (s *Spec) ShortName() string {
	if len(s.Name) <= maxShortName {
		return s.Name
	}
	cut := maxShortName
	for !utf8.RuneStart(s.Name[cut]) {
		cut--
	}
	return s.Name[:cut]
}

// Named tells whether the job was given a name, which anybody may see. Otherwise
// its name is its command line.
func (s *Spec) Named() bool { return s.Name != DefaultName(s.Command) }

// CheckName tells why a name that a user gave can't be one.
func CheckName(name string) error {
	if err := checkLabel(name); err != nil {
		return fmt.Errorf("name %w", err)
	}
	if strings.HasPrefix(name, "-") {
		return errors.New("name begins with a dash")
	}
	if IsID(strings.ToLower(name)) {
		return errors.New("name looks like a job's id")
	}
	return nil
}

// CheckGroup tells why a group that a user gave can't be one.
func CheckGroup(group string) error {
	if err := checkLabel(group); err != nil {
		return fmt.Errorf("group %w", err)
	}
	return nil
}

func checkLabel(s string) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case !utf8.ValidString(s):
		return errors.New("is not UTF-8")
	case utf8.RuneCountInString(s) > 200:
		return fmt.Errorf("has %d characters, at most 200 are allowed", utf8.RuneCountInString(s))
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		return errors.New("contains a control character")
	}
	return nil
}

// Check tells why a spec can't be a job's.
func (s *Spec) Check() error {
	switch {
	case len(s.Command) == 0 || s.Command[0] == "":
		return errors.New("there is no command")
	case !strings.HasPrefix(string(s.Chdir), "/") && !isWindowsPath(string(s.Chdir)):
		return fmt.Errorf("working directory %q is not absolute", s.Chdir)
	case s.StopSignal.Number() == 0:
		return fmt.Errorf("stop signal %q is unknown here", s.StopSignal)
	case s.StopGrace < 0:
		return errors.New("stop grace is negative")
	}
	if err := s.Log.Check(); err != nil {
		return err
	}
	if err := s.Wait.Check(); err != nil {
		return err
	}
	if err := s.Retries.Check(); err != nil {
		return err
	}
	for _, word := range s.Command {
		if strings.ContainsRune(string(word), 0) {
			return errors.New("an argument contains a NUL byte")
		}
	}
	return nil
}

func isWindowsPath(p string) bool {
	return len(p) > 2 && p[1] == ':' || strings.HasPrefix(p, `\\`)
}
