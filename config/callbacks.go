package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jobman/job"
)

// A callback is told of a job's events; its keys depend on its type. Those that hold
// a secret can each be given in a file, as KEY_file, or a variable of the job's
// environment, as KEY_env, which are read when they are needed.

// events are those that a callback can choose among.
var events = []string{"job-success", "job-failure", "job-neutral", "retry", "run-success", "run-failure"}

// Templates of messages, text/template; that of email's html is html/template.
var (
	subjectKey = Option{Name: "subject", Type: "string", Help: "A template of the subject."}
	textKey    = Option{Name: "text", Type: "string", Help: "A template of the message."}
	htmlKey    = Option{Name: "html", Type: "string", Help: "A template of the message as HTML."}
)

// callbackTypes are the types with their keys, beside type and on.
var callbackTypes = map[string][]Option{
	"email": {
		{Name: "to", Type: "string", List: true, Help: "Addresses that mail goes to."},
		{Name: "from", Type: "string", Help: "The address that it comes from."},
		{Name: "host", Type: "string", Help: "The SMTP server, HOST or HOST:PORT; without, sendmail is called."},
		{Name: "user", Type: "string", Help: "Who logs in there."},
		{Name: "password", Type: "string", Help: "The password."},
		{Name: "tls", Type: "string", Enum: []string{"starttls", "tls", "none"}, Help: "How the connection is kept secret."},
		subjectKey, textKey, htmlKey,
	},
	"sms": {
		{Name: "to", Type: "string", List: true, Help: "Numbers that the message goes to."},
		{Name: "from", Type: "string", Help: "The number that it comes from."},
		{Name: "account", Type: "string", Help: "The account at Twilio, or who has its API."},
		{Name: "token", Type: "string", Help: "Its token."},
		{Name: "base_url", Type: "string", Help: "Where the API is (default: https://api.twilio.com)."},
		subjectKey, textKey,
	},
	"slack":    {{Name: "url", Type: "string", Help: "The incoming webhook."}, subjectKey, textKey},
	"shoutrrr": {{Name: "url", Type: "string", Help: "The service, as a URL of shoutrrr."}, textKey},
	"write":    {{Name: "user", Type: "string", Help: "Whose terminals are written to."}, textKey},
	"script":   {{Name: "path", Type: "string", Help: "The executable."}},
	"webhook":  {{Name: "url", Type: "string", Help: "What JSON is posted to."}, {Name: "auth", Type: "string", Help: "The Authorization header."}, {Name: "secret", Type: "string", Help: "What bodies are signed with."}},
}

// needed are the keys that a callback of a type can't do without.
var needed = map[string][]string{"email": {"to"}, "sms": {"to", "from", "account", "token"}, "slack": {"url"}, "shoutrrr": {"url"}, "script": {"path"}, "webhook": {"url"}}

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
			s.List[i] = job.RedactCallback(name)
		}
	}
	return s
}

// How a secret is given that is somewhere else.
const (
	fileSuffix = "_file"
	envSuffix  = "_env"
)

func withFiles(options []Option) []Option {
	all := slices.Clone(options)
	for _, o := range options {
		if slices.Contains(secrets, o.Name) {
			all = append(all,
				Option{Name: o.Name + fileSuffix, Type: "string", Help: "A file that holds the " + o.Name + "."},
				Option{Name: o.Name + envSuffix, Type: "string", Help: "A variable of the job's environment that holds the " + o.Name + "."})
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

	files map[string]string // where keys come from
}

// Resolve makes of it what is kept with a job: secrets stay where they are. One that is
// given in several ways is that of the file, then of the variable. Relative paths are so
// to the file that has them.
func (c *Callback) Resolve() job.Callback {
	out := job.Callback{Name: c.Name, Type: c.Type, Keys: map[string][]string{}, Secrets: map[string]job.Secret{}}
	for _, event := range c.On {
		out.On = append(out.On, job.EventKind(event))
	}
	for key, values := range c.Keys {
		switch {
		case secretOf(key) != "":
		case c.Type == "script" && key == "path":
			out.Keys[key] = []string{c.path(key)}
		default:
			out.Keys[key] = values
		}
	}
	for _, key := range secrets {
		file, env := key+fileSuffix, key+envSuffix
		switch {
		case c.Keys[file] != nil:
			out.Secrets[key] = job.Secret{File: c.path(file)}
		case c.Keys[env] != nil:
			out.Secrets[key] = job.Secret{Env: c.Keys[env][0]}
		case c.Keys[key] != nil:
			out.Secrets[key] = job.Secret{Config: c.files[key]}
		}
	}
	return out
}

// secretOf is the secret that a key gives, itself or where it is; "": none.
func secretOf(key string) string {
	for _, suffix := range []string{"", fileSuffix, envSuffix} {
		if name, ok := strings.CutSuffix(key, suffix); ok && slices.Contains(secrets, name) {
			return name
		}
	}
	return ""
}

// path is the value of a key that is a path.
func (c *Callback) path(key string) string {
	path := c.Keys[key][0]
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(c.files[key]), path)
}

// CallbackKey reads one key of a callback from a file, as it is now.
func CallbackKey(name, callback, key string) (string, error) {
	f := &file{name: name}
	problems := f.read(&Schema{}, nil)
	for _, set := range f.settings {
		if set.Section == sectionCallbacks && set.Name == callback && set.Option == key {
			return set.Text, nil
		}
	}
	for _, p := range problems {
		if p.Key == "" { // it can't be read at all, and why may quote a secret
			return "", fmt.Errorf("%s can't be read as it is now; jobman config check says why", name)
		}
	}
	return "", fmt.Errorf("%s has no %s.%s.%s any more", name, sectionCallbacks, tomlKey(callback), key)
}

// Callback returns the callback of a name.
func (s *Settings) Callback(name string) (Callback, error) {
	out := Callback{Name: name, Keys: map[string][]string{}, files: map[string]string{}}
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
		if abs, err := filepath.Abs(set.File()); err == nil {
			out.files[key] = abs
		}
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
	for _, need := range needed[out.Type] {
		if out.Keys[need] == nil && out.Keys[need+fileSuffix] == nil && out.Keys[need+envSuffix] == nil {
			return out, kind.Problem(fmt.Sprintf("a callback of the type %s needs %s", out.Type, need))
		}
	}
	return out, nil
}

// CheckNotify tells why nothing could be told of events by a callback of this name.
func (s *Settings) CheckNotify(name string) error {
	if _, ok := job.InPlace(name); ok {
		return nil
	}
	_, err := s.Callback(name)
	return err
}
