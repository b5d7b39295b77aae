// Package remote tells callbacks by a network, or by templates: it is for jobman-net
// alone. There is a file for each type.
package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// redact takes out of a text what no one else may see.
func (o *order) redact(text string) string {
	for _, value := range append(slices.Collect(maps.Values(o.secrets)), o.Key("url")) {
		if len(value) > 3 { // less is in every text
			text = strings.ReplaceAll(text, value, "...")
		}
	}
	return text
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
