package job

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// Signal is the name of a signal without SIG, as kill -l prints it: TERM, USR1,
// RTMIN+3. Numbers differ between systems; names are what is kept.
type Signal string

// ParseSignal reads a name, with or without SIG, in any case, or a number.
func ParseSignal(s string) (Signal, error) {
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if n, err := strconv.Atoi(name); err == nil {
		if known := SignalName(syscall.Signal(n)); known != "" {
			return known, nil
		}
	} else if Signal(name).Number() != 0 {
		return SignalName(Signal(name).Number()), nil
	}
	return "", fmt.Errorf("%q is no signal; write a name such as TERM, HUP, INT, KILL or USR1, or its number", s)
}

// SignalName returns the name of a signal of this system, or "".
func SignalName(n syscall.Signal) Signal {
	for _, s := range signals {
		if s.number == n {
			return s.name
		}
	}
	if min, max := realtimeSignals(); n >= min && n <= max && min != 0 {
		if n == min {
			return "RTMIN"
		}
		return Signal(fmt.Sprintf("RTMIN+%d", n-min))
	}
	return ""
}

// Number returns the signal's number on this system, or 0 where it has none.
func (s Signal) Number() syscall.Signal {
	for _, known := range signals {
		if known.name == s {
			return known.number
		}
	}
	min, max := realtimeSignals()
	if min == 0 {
		return 0
	}
	switch rest, plus := strings.CutPrefix(string(s), "RTMIN+"); {
	case s == "RTMIN":
		return min
	case s == "RTMAX":
		return max
	case plus:
		if n, err := strconv.Atoi(rest); err == nil && n >= 0 && min+syscall.Signal(n) <= max {
			return min + syscall.Signal(n)
		}
	}
	if rest, minus := strings.CutPrefix(string(s), "RTMAX-"); minus {
		if n, err := strconv.Atoi(rest); err == nil && n >= 0 && max-syscall.Signal(n) >= min {
			return max - syscall.Signal(n)
		}
	}
	return 0
}
