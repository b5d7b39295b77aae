//go:build !linux || !(amd64 || arm64 || 386)

package nofile

var inherited limit
