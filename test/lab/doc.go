// Package lab boots a real systemd to test against; see lab_linux.go. On other
// systems it is empty.
package lab
