//go:build !linux

package main

import (
	"fmt"
	"runtime"

	"jobman/engine"
	"jobman/store/tree"
)

func probe(scope, wanted string) probes {
	p := probes{scope: scope, wanted: wanted}
	if runtime.GOOS == "windows" {
		p.forkMissing = "the fork supervisor can't run on Windows yet"
	}
	return p
}

func newSystemd(string, tree.Tree, func(error)) (engine.Backend, error) {
	return nil, fmt.Errorf("there is no systemd on %s", runtime.GOOS)
}
