// Package torture kills every process of jobman at random moments, while jobs are
// submitted, run, print, end and are killed, and then holds what became of each
// against what is known of its command. `make torture N=5000` runs it longer,
// TORTURE_SEED repeats the random choices, if not the moments.
package torture
