package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"

	"github.com/therootcompany/xz"

	"jobman/house"
)

// carried are the programs that this one carries: jobman-inner and jobman-net, each
// behind a line with its name and its size in bytes, compressed together by xz(1) or
// gzip(1). `make build` puts it here with an overlay. It is empty in a jobman that was
// built without: units then execute that jobman, and it can't look at URLs.
//
//go:embed carried.bin
var carried []byte

func programs() house.Programs {
	if len(carried) == 0 {
		return nil
	}
	return openCarried
}

// openCarried reads one of them.
func openCarried(name string) (io.Reader, error) {
	var plain io.Reader
	var err error
	if packed := bytes.NewReader(carried); bytes.HasPrefix(carried, []byte("\xfd7zXZ")) {
		plain, err = xz.NewReader(packed, 0)
	} else {
		plain, err = gzip.NewReader(packed)
	}
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(plain)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("look for jobman-%s: %w", name, err)
		}
		var is string
		var size int64
		if _, err := fmt.Sscanf(line, "%s %d\n", &is, &size); err != nil {
			return nil, fmt.Errorf("look for jobman-%s: %q: %w", name, line, err)
		}
		if is == name {
			return io.LimitReader(r, size), nil
		}
		if _, err := io.CopyN(io.Discard, r, size); err != nil {
			return nil, fmt.Errorf("look for jobman-%s: %w", name, err)
		}
	}
}
