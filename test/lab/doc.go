// Package lab boots a real systemd to test against where PID 1 is something else:
// systemd-nspawn over an overlay of the machine's own root, so that Go, the module
// cache and this tree are there, and nothing that is written stays.
//
// Everything lives in mount and process namespaces of its own, with the overlay's
// upper layer on a tmpfs that is mounted only there. They end with the process
// that booted the lab, however that ends: no mount, no process and no directory
// outlives it.
//
// On other systems than Linux it is empty.
package lab
