package main

import _ "embed"

// program is what units execute: jobman-inner, put here by `make build` with an
// overlay. It is empty in a jobman that was built without; units then execute
// that jobman.
//
//go:embed inner.bin
var program []byte
