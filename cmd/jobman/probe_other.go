//go:build !linux

package main

func probe(scope, wanted string) probes { return probes{scope: scope, wanted: wanted} }
