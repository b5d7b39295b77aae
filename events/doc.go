// Package events keeps what jobman itself did, step by step: the files jobman.log
// of a job, of each of its runs, and of the store for what concerns no one job.
// Every process of jobman appends to them; `jobman show --events` prints them. The
// format is logfmt, described in docs/format.md.
//
// Each append is one write to a file that was opened for appending, so lines of
// many processes never mix. It takes no lock, is not synced, and fails nothing: a
// line that can't be written is left out, since there is no place to say so.
//
// A file that is larger than 256 KiB is renamed to jobman.log.1, in place of the
// one before, so a job that retries for ever keeps its last events and no more.
package events
