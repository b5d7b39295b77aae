// Package remote tells callbacks by a network, or by templates: it is for jobman-net
// alone. There is a file for each type.
package remote

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"jobman/callbacks"
	"jobman/config"
	"jobman/job"
)

// senders tell of a notice, each once.
var senders = map[string]func(context.Context, *order) (told string, err error){
	"email": email, "shoutrrr": shout, "sms": sms, "slack": slack, "webhook": webhook, "write": write,
}

// order is a callback to be told, with all that it takes.
type order struct {
	*job.Callback
	notice  *callbacks.Notice
	secrets map[string]string // by key
}

// key is the value of a key, wherever it is; "" if there is none.
func (o *order) key(name string) string {
	if value, ok := o.secrets[name]; ok {
		return value
	}
	return o.Key(name)
}

// Send tells a callback, once. What it answers is free of secrets.
func Send(ctx context.Context, r *callbacks.Request) callbacks.Answer {
	told, err := send(ctx, r)
	if err == nil {
		return callbacks.Answer{Told: told}
	}
	var known *job.SendError
	if !errors.As(err, &known) {
		known = &job.SendError{Text: err.Error()}
	}
	return callbacks.Answer{Error: known}
}

func send(ctx context.Context, r *callbacks.Request) (string, error) {
	if r.Callback == nil || r.Notice == nil {
		return "", errors.New("there is no callback or nothing to tell it")
	}
	sender := senders[r.Callback.Type]
	if sender == nil {
		return "", &job.SendError{Text: fmt.Sprintf("there is no callback of the type %q", r.Callback.Type), Final: true}
	}
	o := &order{r.Callback, r.Notice, map[string]string{}}
	for key, where := range r.Callback.Secrets {
		value, err := secret(r.Callback.Name, key, where)
		if err != nil {
			return "", fmt.Errorf("read its %s: %w", key, err)
		}
		o.secrets[key] = value
	}
	told, err := sender(ctx, o)
	return o.redact(told), o.redactError(err)
}

// maxSecret bounds the file of a secret, in bytes.
const maxSecret = 64 << 10

// secret reads a secret.
func secret(callback, key string, where job.Secret) (string, error) {
	switch {
	case where.Env != "":
		value := os.Getenv(where.Env)
		if value == "" {
			return "", fmt.Errorf("the job's environment has no variable %s", where.Env)
		}
		return value, nil
	case where.File != "":
		text, err := os.ReadFile(where.File)
		if err != nil {
			return "", err
		}
		if len(text) > maxSecret {
			return "", fmt.Errorf("%s has %d bytes, which is no secret", where.File, len(text))
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
	return config.CallbackKey(where.Config, callback, key)
}

// redact takes out of a text what no one else may see: secrets, and parts of them, which
// a receiver may quote.
func (o *order) redact(text string) string {
	values := append(slices.Collect(maps.Values(o.secrets)), o.Key("url"))
	if token := o.secrets["token"]; token != "" {
		values = append(values, base64.StdEncoding.EncodeToString([]byte(o.key("account")+":"+token)))
	}
	var all []string
	for _, value := range values {
		all = append(all, value)
		all = append(all, parts(value, o.Type)...)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	for _, value := range all {
		if len(value) > 3 { // less is in every text
			text = strings.ReplaceAll(text, value, "...")
		}
	}
	return text
}

// minPart is the least length of a part that may be a secret of its own.
const minPart = 6

// parts are the words of a secret, and of a URL the user, what is in the path, and the
// parameters. The host may be seen, but not of shoutrrr, whose services have all kinds of
// things in its place.
func parts(value, kind string) (all []string) {
	if u, err := url.Parse(value); err == nil && u.Host != "" && kind != "shoutrrr" {
		value = u.User.String() + " " + u.EscapedPath() + " " + u.RawQuery + " " + u.EscapedFragment()
	}
	_, rest, isURL := strings.Cut(value, "://")
	if isURL {
		value = rest
	}
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("/?#&=@:, ", r) }) {
		for _, form := range []string{part, unescaped(part)} {
			if len(form) >= minPart {
				all = append(all, form)
			}
		}
	}
	return all
}

func unescaped(part string) string {
	plain, err := url.QueryUnescape(part)
	if err != nil {
		return part
	}
	return plain
}

func (o *order) redactError(err error) error {
	if err == nil {
		return nil
	}
	out := &job.SendError{}
	var known *job.SendError
	if errors.As(err, &known) {
		*out = *known
	}
	out.Text = callbacks.Clip(strings.Join(strings.Fields(o.redact(err.Error())), " "), 300)
	return out
}

// tellEach tells each recipient of several. One that is refused must keep the others
// neither from being told nor, by further tries, from being told once only.
func tellEach(recipients []string, tell func(string) error) error {
	var missed []string
	last := &job.SendError{Final: true}
	for _, to := range recipients {
		err := tell(to)
		if err == nil {
			continue
		}
		missed = append(missed, fmt.Sprintf("to %s: %v", to, err))
		var known *job.SendError
		if !errors.As(err, &known) {
			known = &job.SendError{}
		}
		last.Final = last.Final && known.Final
		last.RetryAfter = max(last.RetryAfter, known.RetryAfter)
	}
	if len(missed) == 0 {
		return nil
	}
	last.Text, last.Partly = strings.Join(missed, "; "), len(missed) < len(recipients)
	return last
}
