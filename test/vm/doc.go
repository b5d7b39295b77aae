//go:build vm

// Package vm tests, with `make test-vm`, what only a machine with a kernel of its
// own can show: limits that the kernel enforces, and power cuts. It boots Debian in
// qemu, with KVM where that works, else slowly. It needs root on Debian and
// amd64; what is missing it installs, and it keeps the finished image in the
// user's cache directory.
//
// The disk of a machine is a file without a name, all else that a machine is ends
// with the process that booted it, however that ends.
package vm
