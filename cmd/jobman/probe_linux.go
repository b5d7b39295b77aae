package main

import "jobman/house"

func probe(scope, wanted string) probes {
	s := house.FindSystemd(scope)
	return probes{scope: scope, wanted: wanted, linux: true, booted: s.Booted, manager: s.Manager, socket: s.Socket}
}
