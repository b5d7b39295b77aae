//go:build unix && !linux

package journal

// fionread is the ioctl that counts the bytes waiting: _IOR('f', 127, int), the same
// in FreeBSD's sys/filio.h and in macOS, and in x/sys for neither.
const fionread = 0x4004667f
