package job

// Sink is where a run's output goes.
type Sink string

// The sinks.
const (
	SinkAuto    Sink = "auto"    // both where journald runs, else file
	SinkBoth    Sink = "both"    // files, and a copy in journald
	SinkFile    Sink = "file"    // files
	SinkJournal Sink = "journal" // journald alone, which is lossy
)

// Journald is what was found of systemd's journal.
type Journald struct {
	Runs bool
	Why  string // where it answers, or why it doesn't
}

// Choose returns the sink of a run that begins now, never auto, and says why in one
// line. Where journald is asked for and isn't there, the output is kept in files
// all the same: no run fails because of its log.
func (l *Log) Choose(j Journald) (sink Sink, why string) {
	asked := "log.sink asks for it"
	switch {
	case !l.Stdout && !l.Stderr:
		return SinkFile, "both streams are discarded"
	case l.Sink == SinkFile:
		return SinkFile, asked
	case !j.Runs && (l.Sink == SinkBoth || l.Sink == SinkJournal):
		return SinkFile, "log.sink asks for " + string(l.Sink) + ", but " + j.Why
	case !j.Runs:
		return SinkFile, j.Why
	case l.Sink == SinkBoth || l.Sink == SinkJournal:
		return l.Sink, asked
	}
	return SinkBoth, j.Why
}
