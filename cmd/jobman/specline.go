package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"jobman/config"
	"jobman/job"
)

// A spec's own keys, beside those that are options of `run`.
const (
	keyCommand  = "command"
	keyUmask    = "umask"
	keyNice     = "nice"
	keyLimits   = "limits"
	keyResolved = "resolved"
	keySensor   = "wait.sensor" // an option too: there a name, here a sensor
)

// notFrom are the options of `run` that a line can't give.
var notFrom = []string{"from", "all-or-nothing", "follow", "unique", "help", "rerun-by-name", "rerun-by-id"}

// specLine is a job as one JSON object says it, with the keys of a spec: a line of
// --from, or what `rerun` copies.
type specLine struct {
	options  map[string]any // by flag, as kong takes them
	command  []string
	umask    *job.Umask
	nice     *int
	limits   map[string]job.Limit
	sensors  []job.Sensor
	resolved bool // it is complete: what it leaves out is the built-in default
}

// parseSpecLine reads a line; known are the options that there are.
func parseSpecLine(text []byte, known []string) (*specLine, error) {
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return nil, usage("it is no JSON object: %v", err)
	}
	if object == nil {
		return nil, usage("it is no JSON object: it is null")
	}
	if d.More() {
		return nil, usage("it is more than one JSON object")
	}
	own := struct {
		Command  []job.Text           `json:"command"`
		Umask    *job.Umask           `json:"umask"`
		Nice     *int                 `json:"nice"`
		Limits   map[string]job.Limit `json:"limits"`
		Resolved bool                 `json:"resolved"`
	}{}
	if err := json.Unmarshal(text, &own); err != nil {
		return nil, wrongType(err)
	}
	l := &specLine{
		options: map[string]any{}, command: job.Strings(own.Command),
		umask: own.Umask, nice: own.Nice, limits: own.Limits, resolved: own.Resolved,
	}
	if err := l.flatten("", object, known); err != nil {
		return nil, err
	}
	return l, l.writeOut()
}

// ownForms is what a spec's own keys take.
var ownForms = map[string]string{
	keyCommand: `a list of words, such as ["make","all"]`, keyUmask: `a text such as "0022"`, keyNice: "a whole number",
	keyLimits: `an object such as {"NOFILE":"1024:infinity"}`, keyResolved: "true or false",
}

// wrongType says what a key takes that was given something else.
func wrongType(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return usage("%v", err)
	}
	key, _, _ := strings.Cut(wrong.Field, ".")
	return usage("%q takes %s, and this is a %s", key, ownForms[key], wrong.Value)
}

// flatten takes in the keys of an object, with dots between those of objects
// within it, and refuses those that are no options.
func (l *specLine) flatten(prefix string, object map[string]any, known []string) error {
	for key, value := range object {
		name := prefix + key
		if inner, ok := value.(map[string]any); ok && !isText(inner) && name != keyLimits {
			if err := l.flatten(name+".", inner, known); err != nil {
				return err
			}
			continue
		}
		switch name {
		case keyCommand, keyUmask, keyNice, keyLimits, keyResolved:
			continue
		case "notify.any":
			name = "notify"
		}
		if !slices.Contains(known, name) {
			p := usage("%q is no option of run", name)
			if near := nearest(name, known); near != "" {
				p.text += fmt.Sprintf("; %q is", near)
			}
			return p
		}
		if name == keySensor {
			var err error
			if value, err = l.takeSensors(value); err != nil {
				return usage("%s: %v", name, err)
			}
		}
		plain, err := plainValue(value)
		if err != nil {
			return usage("%s: %v", name, err)
		}
		if plain == nil {
			continue
		}
		if _, twice := l.options[name]; twice {
			return usage("%q is given twice", name)
		}
		l.options[name] = plain
	}
	return nil
}

// takeSensors takes in those of a list that are sensors, and returns the names.
func (l *specLine) takeSensors(value any) (any, error) {
	list, ok := value.([]any)
	if !ok {
		return value, nil
	}
	var names []any
	for _, item := range list {
		if _, is := item.(map[string]any); !is {
			names = append(names, item)
			continue
		}
		b, err := json.Marshal(item)
		if err != nil {
			return nil, err
		}
		var s job.Sensor
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, err
		}
		l.sensors = append(l.sensors, s)
	}
	if names == nil {
		return nil, nil
	}
	return names, nil
}

// writeOut replaces options that are short for others, and those that say nothing.
func (l *specLine) writeOut() error {
	if n, ok := l.options["retry"].(string); ok {
		runs, successes, err := config.Retry(n)
		if err != nil {
			return usage("%v", err)
		}
		for option, text := range map[string]string{"retries.num-runs": runs, "retries.num-successes": successes} {
			if l.options[option] != nil {
				return retryBeside()
			}
			l.options[option] = text
		}
		delete(l.options, "retry")
	}
	if d, ok := l.options["timeout"]; ok {
		if long, beside := l.options["timeout.run"]; beside && long != d {
			return usage("timeout is short for timeout.run, and they differ")
		}
		l.options["timeout.run"] = d
		delete(l.options, "timeout")
	}
	for name, value := range l.options {
		if list, is := value.([]any); value == "" || is && len(list) == 0 {
			l.options[name] = nil // said, and cleared
		}
	}
	return nil
}

// isText tells whether an object is a string of arbitrary bytes, see job.Text.
func isText(object map[string]any) bool {
	_, ok := object["base64"].(string)
	return ok && len(object) == 1
}

// plainValue is a value as flags have it: a string, or a list of strings; nil for
// what says nothing.
func plainValue(value any) (any, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		var t job.Text
		err = json.Unmarshal(b, &t)
		return string(t), err
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			plain, err := plainValue(item)
			if err != nil {
				return nil, err
			}
			if _, ok := plain.(string); !ok {
				return nil, errors.New("it is a list of something else than strings")
			}
			list[i] = plain
		}
		return list, nil
	}
	return nil, fmt.Errorf("%v is no value", value)
}

// inherit takes over what a line says of what commands inherit.
func (l *specLine) inherit(s *job.Spec) {
	if l == nil {
		return
	}
	if l.umask != nil {
		s.Umask = *l.umask
	}
	if l.nice != nil {
		s.Nice = *l.nice
	}
	for name, limit := range l.limits {
		if s.Limits == nil {
			s.Limits = map[string]job.Limit{}
		}
		s.Limits[name] = limit
	}
}
