//go:build amd64 || arm64 || 386

package nofile

var inherited = func() (l limit) {
	read(&l)
	return
}()

// read is prlimit64(0, RLIMIT_NOFILE, NULL, l).
func read(l *limit)
