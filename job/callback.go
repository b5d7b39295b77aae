package job

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// EventKind is what callbacks are told of.
type EventKind string

// The kinds. A killed job, or run, counts as a failed one.
const (
	EventRunSuccess EventKind = "run-success"
	EventRunFailure EventKind = "run-failure"
	EventRetry      EventKind = "retry" // another run is scheduled
	EventJobSuccess EventKind = "job-success"
	EventJobFailure EventKind = "job-failure"
	EventJobNeutral EventKind = "job-neutral"
)

// Callback is who is told of a job's events, as it was resolved at submission. It
// holds no secrets of the configuration, but where they are.
type Callback struct {
	Name    string              `json:"name"` // as Notify has it
	Type    string              `json:"type"`
	On      []EventKind         `json:"on"`
	Keys    map[string][]string `json:"keys,omitempty"`
	Secrets map[string]Secret   `json:"secrets,omitempty"` // by key, beside Keys
}

// Secret is where the value of a key is, which is read when it is used. One of the
// fields is set.
type Secret struct {
	File   string `json:"file,omitzero"`   // that holds it and nothing else
	Env    string `json:"env,omitzero"`    // variable of the job's environment
	Config string `json:"config,omitzero"` // configuration file that has the callback
}

// Key is the first value of a key; "" if it has none.
func (c *Callback) Key(name string) string {
	if values := c.Keys[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Event is what happened to a job, as it was at that moment.
type Event struct {
	// ID is the same for each try to tell a callback of the event, and of no other.
	ID   string    `json:"id"`
	Kind EventKind `json:"kind"`
	Job  ID        `json:"job"`
	Run  int       `json:"run"` // the one that ended; 0: there was none
	At   time.Time `json:"at"`

	Result    Result    `json:"result,omitzero"` // of the job or, while that goes on, of the run
	Reason    Reason    `json:"reason,omitzero"`
	Message   string    `json:"message,omitzero"`
	ExitCode  *int      `json:"exit_code,omitempty"`
	Signal    Signal    `json:"signal,omitzero"`
	StartedAt time.Time `json:"started_at,omitzero"`
	StoppedAt time.Time `json:"stopped_at,omitzero"`
	RunCount  int       `json:"run_count"`
	NextAt    time.Time `json:"next_at,omitzero"` // when the next run starts
}

// Told returns what a change of a job makes callbacks be told of, each of each event
// once.
func Told(before, after *Job) (all []Delivery) {
	if len(after.Callbacks) == 0 {
		return nil
	}
	for _, e := range happened(before, after) {
		for _, c := range after.Callbacks {
			if !slices.Contains(c.On, e.Kind) {
				continue
			}
			e.ID = eventID(e, c.Name)
			all = append(all, Delivery{
				Event: e, Callback: c.Name, State: DeliveryPending, NextAt: e.At,
				HostID: after.HostID, Backend: after.Backend, Scope: after.Scope,
			})
		}
	}
	return all
}

// eventID can be told from that of any other event, and is the same whenever it is made.
func eventID(e Event, callback string) string {
	sum := sha256.Sum256([]byte(callback))
	return fmt.Sprintf("%s.%d.%s.%s", e.Job, e.Run, e.Kind, hex.EncodeToString(sum[:4]))
}

// happened returns the events that a change of a job comes to, without ids.
func happened(before, after *Job) (all []Event) {
	for i := range after.Runs {
		r := &after.Runs[i]
		was := before.Run(r.N)
		if r.Active() || was != nil && !was.Active() || was == nil && r.N <= before.RunCount {
			continue
		}
		e := ofRun(after, r)
		switch r.Result {
		case Success:
			e.Kind = EventRunSuccess
		case Failure, Killed:
			e.Kind = EventRunFailure
		default:
			continue
		}
		all = append(all, e)
	}
	last := after.Last()
	if after.Phase == Delayed && before.Phase != Delayed && last != nil {
		e := ofRun(after, last)
		e.Kind, e.NextAt = EventRetry, after.NextAt
		all = append(all, e)
	}
	if after.Completed() && !before.Completed() {
		e := Event{
			Job: after.ID, Run: after.RunCount, At: after.StoppedAt, Result: after.Result, Reason: after.Reason, Message: after.Message,
			StartedAt: after.StartedAt, StoppedAt: after.StoppedAt, RunCount: after.RunCount, Kind: EventJobFailure,
		}
		if last != nil {
			e.ExitCode, e.Signal = last.ExitCode, last.Signal
		}
		switch after.Result {
		case Success:
			e.Kind = EventJobSuccess
		case Neutral:
			e.Kind = EventJobNeutral
		}
		all = append(all, e)
	}
	return all
}

func ofRun(j *Job, r *Run) Event {
	return Event{
		Job: j.ID, Run: r.N, At: r.StoppedAt, Result: r.Result, Reason: r.Reason, Message: r.Message, ExitCode: r.ExitCode,
		Signal: r.Signal, StartedAt: r.StartedAt, StoppedAt: r.StoppedAt, RunCount: j.RunCount,
	}
}

// Events are those that a callback is told of which is named by these options.
func (n Notify) Events(callback string) (kinds []EventKind) {
	for _, o := range []struct {
		names []string
		kinds []EventKind
	}{
		{n.Any, []EventKind{EventJobSuccess, EventJobFailure, EventJobNeutral, EventRetry}},
		{n.OnSuccess, []EventKind{EventJobSuccess}},
		{n.OnRetry, []EventKind{EventRetry}},
		{n.OnFailure, []EventKind{EventJobFailure}},
	} {
		if slices.Contains(o.names, callback) {
			kinds = append(kinds, o.kinds...)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// Names are those of all callbacks, each once.
func (n Notify) Names() (names []string) {
	for _, name := range slices.Concat(n.Any, n.OnSuccess, n.OnRetry, n.OnFailure) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Redacted is as it may be shown.
func (n Notify) Redacted() Notify {
	all := func(names []string) []string {
		shown := slices.Clone(names)
		for i, name := range shown {
			shown[i] = RedactCallback(name)
		}
		return shown
	}
	return Notify{Any: all(n.Any), OnSuccess: all(n.OnSuccess), OnRetry: all(n.OnRetry), OnFailure: all(n.OnFailure)}
}

// InPlace makes a callback of a name that says it all; ok is false where it is the
// name of a callback of the configuration.
func InPlace(name string) (c Callback, ok bool) {
	c = Callback{Name: name, Keys: map[string][]string{}}
	scheme, rest, _ := strings.Cut(name, ":")
	switch {
	case strings.HasPrefix(name, "https://"), strings.HasPrefix(name, "http://"):
		c.Type, c.Keys["url"] = "webhook", []string{name}
	case scheme == "script":
		c.Type, c.Keys["path"] = "script", []string{rest}
	case scheme == "mailto":
		c.Type, c.Keys["to"] = "email", strings.Split(rest, ",")
	case scheme == "slack", scheme == "shoutrrr":
		c.Type, c.Keys["url"] = scheme, []string{rest}
	case scheme == "sms":
		c.Type, c.Keys["to"] = "sms", strings.Split(rest, ",")
	case scheme == "write" && len(name) > len(scheme):
		c.Type = "write"
		if rest != "" {
			c.Keys["user"] = []string{rest}
		}
	default:
		return c, false
	}
	return c, true
}

// RedactCallback takes from a callback that is given in place of a name what may be a
// secret: all of a URL but its host, and of one of shoutrrr all but the service.
func RedactCallback(name string) string {
	if rest, ok := strings.CutPrefix(name, "shoutrrr:"); ok {
		service, _, _ := strings.Cut(rest, ":")
		return "shoutrrr:" + service + ":..."
	}
	prefix := ""
	if rest, ok := strings.CutPrefix(name, "slack:"); ok {
		prefix, name = "slack:", rest
	}
	scheme, rest, ok := strings.Cut(name, "://")
	if !ok {
		return prefix + name
	}
	rest = rest[strings.LastIndexByte(rest[:hostEnd(rest)], '@')+1:]
	return prefix + scheme + "://" + rest[:hostEnd(rest)] + "/..."
}

// hostEnd is where the host of a URL ends, whose scheme is cut off.
func hostEnd(s string) int {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return i
	}
	return len(s)
}
