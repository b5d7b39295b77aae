package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A callback is told of a job's events; its keys depend on its type. Those that hold
// a secret can each be given in a file, as KEY_file, which is read when it is needed.

// events are those that a callback can choose among.
var events = []string{"job-success", "job-failure", "job-neutral", "retry", "run-success", "run-failure"}

// callbackTypes are the types with their keys, beside type and on.
var callbackTypes = map[string][]Option{
	"email": {
		{Name: "to", Type: "string", List: true, Help: "Addresses that mail goes to."},
		{Name: "from", Type: "string", Help: "The address that it comes from."},
		{Name: "host", Type: "string", Help: "The SMTP server, HOST or HOST:PORT; without, sendmail is called."},
		{Name: "user", Type: "string", Help: "Who logs in there."},
		{Name: "password", Type: "string", Help: "The password."},
		{Name: "tls", Type: "string", Enum: []string{"starttls", "tls", "none"}, Help: "How the connection is kept secret."},
	},
	"sms": {
		{Name: "to", Type: "string", List: true, Help: "Numbers that the message goes to."},
		{Name: "from", Type: "string", Help: "The number that it comes from."},
		{Name: "account", Type: "string", Help: "The account at Twilio, or who has its API."},
		{Name: "token", Type: "string", Help: "Its token."},
		{Name: "base_url", Type: "string", Help: "Where the API is."},
	},
	"slack":   {{Name: "url", Type: "string", Help: "The incoming webhook."}},
	"write":   {{Name: "user", Type: "string", Help: "Whose terminals are written to."}},
	"script":  {{Name: "path", Type: "string", Help: "The executable."}},
	"webhook": {{Name: "url", Type: "string", Help: "What JSON is posted to."}, {Name: "auth", Type: "string", Help: "The Authorization header."}, {Name: "secret", Type: "string", Help: "What bodies are signed with."}},
}

// needed are the keys that a callback of a type can't do without.
var needed = map[string]string{"email": "to", "sms": "to", "slack": "url", "script": "path", "webhook": "url"}

// secrets are the keys whose values are not shown.
var secrets = []string{"url", "password", "token", "auth", "secret"}

// Redacted is a setting as it may be shown.
func (s Setting) Redacted() Setting {
	if s.Section == sectionCallbacks && slices.Contains(secrets, s.Option) {
		s.Text, s.List = "...", nil
	}
	if adds(s.Option) && OfRun(s.Section) {
		s.List = slices.Clone(s.Items())
		for i, name := range s.List {
			s.List[i] = redactInPlace(name)
		}
	}
	return s
}

// redactInPlace takes from a callback that is given in place of a name what may be a
// secret: all of a URL but its host.
func redactInPlace(name string) string {
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

func withFiles(options []Option) []Option {
	all := slices.Clone(options)
	for _, o := range options {
		if slices.Contains(secrets, o.Name) {
			all = append(all, Option{Name: o.Name + "_file", Type: "string", Help: "A file that holds the " + o.Name + "."})
		}
	}
	return all
}

// callbackKeys are those of all types.
func callbackKeys() []Option {
	keys := []Option{
		{Name: "type", Type: "string", Enum: slices.Sorted(maps.Keys(callbackTypes)), Help: "How it is told."},
		{Name: "on", Type: "string", List: true, Enum: events, Help: "The events that it is told of (default: those of the option that names it)."},
	}
	for _, kind := range slices.Sorted(maps.Keys(callbackTypes)) {
		for _, o := range withFiles(callbackTypes[kind]) {
			if find(keys, o.Name) == nil {
				keys = append(keys, o)
			}
		}
	}
	return keys
}

// Callback is one of [callbacks].
type Callback struct {
	Name string
	Type string
	On   []string            // events; none: those of the option that names it
	Keys map[string][]string // of its type
}

// Callback returns the callback of a name.
func (s *Settings) Callback(name string) (Callback, error) {
	out := Callback{Name: name, Keys: map[string][]string{}}
	layers := s.of(sectionCallbacks, name)
	if len(layers) == 0 {
		return out, s.missing(sectionCallbacks, "callback", name)
	}
	keys := merge(layers)
	kind, ok := keys["type"]
	at := layers[0][0]
	if !ok {
		return out, Problem{File: at.File(), Key: sectionCallbacks + "." + tomlKey(name), Text: "it has no type"}
	}
	if callbackTypes[kind.Text] == nil {
		return out, kind.Problem(fmt.Sprintf("there is no type %q; there are %s", kind.Text, strings.Join(slices.Sorted(maps.Keys(callbackTypes)), ", ")))
	}
	out.Type = kind.Text
	options := withFiles(callbackTypes[kind.Text])
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		set := keys[key]
		switch {
		case key == "type":
		case key == "on":
			out.On = set.Items()
			for _, event := range out.On {
				if !slices.Contains(events, event) {
					return out, set.Problem(fmt.Sprintf("there is no event %q; there are %s", event, strings.Join(events, ", ")))
				}
			}
		case find(options, key) == nil:
			return out, set.Problem(fmt.Sprintf("it is not for the type %s, which has %s", out.Type, strings.Join(names(options), ", ")))
		case find(options, key).Enum != nil && !slices.Contains(find(options, key).Enum, set.Text):
			return out, set.Problem(fmt.Sprintf("%q is none of %s", set.Text, strings.Join(find(options, key).Enum, ", ")))
		case set.List != nil:
			out.Keys[key] = set.List
		default:
			out.Keys[key] = []string{set.Text}
		}
	}
	need := needed[out.Type]
	if need != "" && out.Keys[need] == nil && out.Keys[need+"_file"] == nil {
		return out, kind.Problem(fmt.Sprintf("a callback of the type %s needs %s", out.Type, need))
	}
	return out, nil
}

// inPlace are the beginnings of callbacks that are given in place of a name.
var inPlace = []string{"script:", "mailto:", "slack:", "sms:", "write:", "https://", "http://"}

// CheckNotify tells why nothing could be told of events by a callback of this name.
func (s *Settings) CheckNotify(name string) error {
	for _, scheme := range inPlace {
		if strings.HasPrefix(name, scheme) {
			return nil
		}
	}
	_, err := s.Callback(name)
	return err
}
