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
