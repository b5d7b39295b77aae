package main

import (
	"os"
	"path/filepath"

	"jobman/dbusctl"
	"jobman/engine"
	"jobman/store/tree"
)

func probe(scope, wanted string) probes {
	dir := dbusctl.RuntimeDir(scope)
	p := probes{scope: scope, wanted: wanted, linux: true}
	_, err := os.Stat("/run/systemd/system")
	p.booted = err == nil
	for _, name := range []string{"systemd/private", "bus"} {
		if p.manager {
			break
		}
		p.socket = filepath.Join(dir, name)
		_, err := os.Stat(p.socket)
		p.manager = err == nil
	}
	if !p.manager {
		p.socket = filepath.Join(dir, "systemd/private")
	}
	return p
}

func newSystemd(scope string, t tree.Tree, log func(error)) (engine.Backend, error) {
	b := dbusctl.New(scope, t, func() (string, error) { return t.Executable() })
	b.Log = log
	return b, nil
}
