// Package job is the domain of jobman: what a job and its runs are, the states
// they pass through, and the one pure function, [Decide], that holds all
// policy. It does no I/O, knows no clock and imports only the standard library.
//
// A job is a document. Whatever happens to it is one operation, carried out by
// package engine: load the document, observe the world, [Decide], commit, act.
// Decide may be called any number of times with the same observation; it looks
// at what is, never at what message came.
//
// The promises that the rest of the house builds on:
//
//   - A run number is executed at most once. The proof of execution is the
//     [Claim], made before the command is, and made only once.
//   - A result is never invented. It comes from an [Exit] record, else from
//     what the service manager remembers of the main process, else the run is
//     [ReasonLost].
//   - A completed job never changes again.
package job
