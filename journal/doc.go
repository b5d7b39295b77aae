// Package journal keeps what a run prints: it writes the files log.1, log.2, ...
// in the run's logs directory, reads them, and follows them while they grow. The
// format is described for other readers in docs/format.md.
//
// # Writing
//
// [Pump] copies the run's stdout and stderr into the files, from pipes that come
// to an end (fork backend) or from FIFOs that never do, because systemd holds
// their other end too. [Drain] is for the process that records the end of a run:
// it makes the output complete whatever has become of the pump.
//
// The two are in different processes and share nothing but a lock. The rule is:
//
//	Who has taken a byte from a source holds the lock until the byte is in the file.
//
// So whoever gets the lock knows that all bytes are either in the file or still in
// the FIFO, and goes on from there. No state has to be handed over, because the
// format needs none: a record says itself whether its line goes on.
//
// A silent run has no logs directory. The first byte makes it.
//
// # What a killed writer leaves
//
// Files only ever grow. A writer that finds a file whose last record was cut off
// puts a newline behind it, and goes on; a line that is no record, such as half of
// a record's header, is skipped by every reader. So a reader never has to take
// back anything that it has shown.
//
// # What a killed pump had taken
//
// A pump of systemd's FIFOs can be killed at any time, and loses and repeats nothing
// (Linux, Options.Spool). What it takes goes into a file first, by splice(2), which
// moves bytes from a pipe to a file with the pipe locked: they are in one or in the
// other whatever happens. Two such files, one per stream, are the spool; a third,
// the book, holds the mark: how much of either is done with, and where the log
// ended then.
//
//	FIFO ──1 splice──> spool ──2 read, 3 write──> log.n
//	                     done ──────┐               end ─┐
//	                                └──4 note──> book <──┘
//
//	killed     what the next one finds
//	before 1   all is in the FIFO
//	before 3   the spool is longer than done, nothing behind the log's end: it is written
//	in 3       some records behind end: their text is counted from done on; the rest
//	           is written. A torn whole line is completed by what it lacks
//	before 4   all of it behind end: nothing is left to be written
//	after 4    nothing: the spool ends at done
//
// The next one is another pump, which systemd starts at once, or the Drain of the
// run's end, under the lock; it may be killed as well, since it changes nothing that
// it has counted before it notes that. Offsets in the spool only grow; what is done
// with is punched out of the file. Held bytes stay in the spool, and a file that
// rotation deletes is never one in which records would be looked for. When a pump
// leaves, and after the Drain, the files are deleted.
//
// Where there can be no spool, as on a tmpfs that is full, a killed pump loses what
// it has taken, uncounted, as does one that was killed with the power of its machine.
//
// # Rotation
//
// A record that has no room in a file begins the next one, unless its line began in
// this file: a line is cut only when it is longer than a reader joins (16 MiB), or
// when the other stream goes on in the next file meanwhile.
//
// # What is lost
//
// Logging never stops the job. When nothing can be written, a full disk say, the
// pump goes on reading, counts what it has to drop and tries again every 100 ms.
// [Lost] tells the count, and the error that Pump or Drain return does.
//
// # Reading
//
// A [Reader] returns records as they stand (pieces, for raw output), or joined to
// the lines that the program wrote. [Read] and [Follow] are loops around it.
package journal
