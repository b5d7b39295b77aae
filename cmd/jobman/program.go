package main

import (
	_ "embed"

	"jobman/house"
)

// What jobman carries is put here, compressed, by `make build` with an overlay.
// The files are empty in a jobman that was built without: units then execute that
// jobman, and it can't look at URLs.
var (
	//go:embed inner.bin
	inner []byte
	//go:embed net.bin
	net []byte

	programs = house.Programs{Inner: inner, Net: net}
)
