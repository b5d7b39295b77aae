package journal

import (
	"context"
	"os"
	"time"

	"jobman/job"
)

const defaultHold = 50 * time.Millisecond

// Source is where one of the run's streams is read from: the reading end of a pipe
// or a FIFO. The caller keeps the file open during the call and closes it after;
// on unix it is left in non-blocking mode.
type Source struct {
	Stream Stream
	File   *os.File
}

// Options of Pump and Drain.
type Options struct {
	// Timestamps puts the time before each record.
	Timestamps bool

	// Hold is how long an unfinished line waits for its rest before it is written
	// as a piece. 0 means 50 ms; less than 0: not at all. The lock is held
	// meanwhile, so a Drain may have to wait that long.
	Hold time.Duration

	// MaxBytes is how big a file may become, in bytes: a line that would make it
	// bigger begins the next one. 0: no limit. A file with a longer line is bigger.
	MaxBytes int64

	// MaxFiles is how many files are kept; the oldest are deleted. 0: all.
	MaxFiles int

	// Spool is what the names of three small files begin with, best on a tmpfs, that
	// make a killed Pump lose nothing: the next one, or Drain, finds in them what it
	// had taken. They go when Pump or Drain return. Empty, and on other systems than
	// Linux: what a killed pump had taken and not written is lost.
	Spool string

	// Idle ends Pump when no byte came for that long. 0: never.
	Idle time.Duration

	// Copy has a copy of each line sent to journald, of this origin; nil: none.
	Copy *Origin

	now   func() time.Time                    // time.Now
	write func(*os.File, []byte) (int, error) // os.File.Write
	hit   func(where string)                  // where tests end a pump
}

// OptionsFor returns those that a job asks for.
func OptionsFor(l *job.Log) Options {
	return Options{Timestamps: l.PrefixTimestamp, MaxBytes: int64(l.File.MaxBytes), MaxFiles: l.Run.MaxFiles}
}

// Pump copies what comes from the sources into the log files of the directory
// logs, which it makes (its parent must exist), until
//
//   - all sources are at their end, or
//   - the context ends: then it takes what waits in the sources at that moment, if
//     no other process has the lock, or
//   - no byte came for opt.Idle. It may be started again at any time; what is
//     written in between waits in the FIFO.
//
// At most one Pump may run per logs directory. The error says that bytes were lost
// or that a source could not be read; copying goes on as long as it can.
func Pump(ctx context.Context, logs string, sources []Source, opt Options) error {
	p, err := newPump(ctx, logs, sources, opt)
	if err != nil {
		return err
	}
	defer p.intake.close()
	if p.log.spool.has() { // what a killed pump left does not wait for new output
		if p.log.acquire(ctx) != nil {
			return p.close() // a Drain has the lock, and brings in everything
		}
		p.round(ctx)
	}
	p.run(ctx)
	return p.close()
}
