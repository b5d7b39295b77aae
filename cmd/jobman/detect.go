package main

import "fmt"

// probes are the facts on which the choice of a backend rests.
type probes struct {
	scope   string // "system" or "user"
	wanted  string // --backend: "auto", "systemd" or "fork"
	linux   bool
	booted  bool   // PID 1 is systemd, see sd_booted(3)
	manager bool   // the scope's manager has a socket
	socket  string // where it was looked for
}

// detect chooses the backend and says why in one line. It is pure.
func detect(p probes) (backend, why string, err error) {
	var systemd string // why not systemd; empty: it can be
	switch {
	case !p.linux:
		systemd = "this is no Linux"
	case !p.booted:
		systemd = "PID 1 is not systemd"
	case !p.manager:
		systemd = fmt.Sprintf("there is no systemd for the %s at %s", p.scope, p.socket)
	}
	switch {
	case p.wanted == "systemd" && systemd != "":
		return "", "", &problem{kind: "backend", text: "run under systemd: " + systemd, hint: "jobman --backend fork ..."}
	case p.wanted != "fork" && systemd == "":
		return "systemd", fmt.Sprintf("the systemd of the %s answers at %s", p.scope, p.socket), nil
	case p.wanted == "fork":
		return "fork", "--backend asks for it", nil
	}
	return "fork", systemd, nil
}
