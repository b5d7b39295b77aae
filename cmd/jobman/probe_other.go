//go:build !linux

package main

import "runtime"

func probe(scope, wanted string) probes {
	p := probes{scope: scope, wanted: wanted}
	if runtime.GOOS == "windows" {
		p.forkMissing = "the fork supervisor can't run on Windows yet"
	}
	return p
}
