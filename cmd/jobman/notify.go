package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"jobman/config"
	"jobman/engine"
	"jobman/job"
)

// notifyFlags name the callbacks that are told of a job's events.
type notifyFlags struct {
	Any       []string `name:"notify" sep:"none" placeholder:"CALLBACK" help:"Tell this callback how the job ends, and when another run is scheduled; repeatable."`
	OnSuccess []string `name:"notify.on-success" sep:"none" placeholder:"CALLBACK" help:"Tell it if the job succeeds; repeatable."`
	OnRetry   []string `name:"notify.on-retry" sep:"none" placeholder:"CALLBACK" help:"Tell it when another run is scheduled; repeatable."`
	OnFailure []string `name:"notify.on-failure" sep:"none" placeholder:"CALLBACK" help:"Tell it if the job fails or is killed; repeatable."`
}

// notify adds up who is told: what the command line says does not replace what the
// configuration does, unless it clears it.
func (r *jobFlags) notify(a *app) job.Notify {
	all := func(option string, given []string) []string {
		if !a.given(option) || a.words.cleared[option] || a.line != nil && a.line.resolved {
			return given
		}
		set, _ := a.resolved.Find(option)
		for _, name := range set.List {
			if !slices.Contains(given, name) {
				given = append(given, name)
			}
		}
		return given
	}
	n := &r.Notify
	return job.Notify{
		Any: located(all("notify", n.Any)), OnSuccess: located(all("notify.on-success", n.OnSuccess)),
		OnRetry: located(all("notify.on-retry", n.OnRetry)), OnFailure: located(all("notify.on-failure", n.OnFailure)),
	}
}

// located makes the paths of scripts absolute. What is no path is told later.
func located(names []string) []string {
	for i, name := range names {
		if path, ok := strings.CutPrefix(name, scriptScheme); ok {
			if abs, err := absolute(path); err == nil {
				names[i] = scriptScheme + abs
			}
		}
	}
	return names
}

const scriptScheme = "script:"

// inEnv is where the account is of an in-place sms:, whose names are Twilio's own.
var inEnv = map[string]string{"account": "TWILIO_ACCOUNT_SID", "token": "TWILIO_AUTH_TOKEN", "from": "TWILIO_FROM", "base_url": "TWILIO_BASE_URL"}

// callbacks finds those that a job names. env is its environment.
func (a *app) callbacks(n job.Notify, env []byte) (all []job.Callback, err error) {
	for _, name := range n.Names() {
		c, err := a.callback(name, env)
		if err != nil {
			return nil, err
		}
		if len(c.On) == 0 {
			c.On = n.Events(name)
		}
		all = append(all, c)
	}
	return all, nil
}

func (a *app) callback(name string, env []byte) (job.Callback, error) {
	c, ok := job.InPlace(name)
	bad := func(why string) (job.Callback, error) {
		return c, usage("--notify %s: %s", job.RedactCallback(name), why)
	}
	if !ok {
		found, err := a.settings.Callback(name)
		if err != nil {
			return c, (&problem{kind: "config", text: "--notify: " + err.Error(), err: err}).try("jobman config check")
		}
		return found.Resolve(), checkSecrets(&found, env)
	}
	switch c.Type {
	case "script":
		if _, err := engine.LookPath(c.Key("path"), ""); err != nil {
			return bad(pathCause(err).Error())
		}
	case "sms":
		c.Secrets = map[string]job.Secret{}
		for key, variableName := range inEnv {
			switch {
			case variable(env, variableName) != "":
				c.Secrets[key] = job.Secret{Env: variableName}
			case key != "base_url":
				return bad("the environment has no " + variableName + ", and no callback of the configuration is named")
			}
		}
	case "slack", "webhook":
		if u, err := url.Parse(c.Key("url")); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return bad("it is no URL of http or https")
		}
	case "shoutrrr":
		if u, err := url.Parse(c.Key("url")); err != nil || u.Scheme == "" || u.Opaque != "" {
			return bad("it is no URL of shoutrrr, such as ntfy://ntfy.sh/topic")
		}
	case "email":
		for _, to := range c.Keys["to"] {
			if !strings.Contains(to, "@") {
				return bad(fmt.Sprintf("%q is no address", to))
			}
		}
	}
	return c, nil
}

// checkSecrets tells at once what can't be found later.
func checkSecrets(c *config.Callback, env []byte) error {
	r := c.Resolve()
	for key, where := range r.Secrets {
		if where.Env != "" && variable(env, where.Env) == "" {
			return usage("the callback %s has its %s in the variable %s, which the job's environment has not", c.Name, key, where.Env)
		}
	}
	return nil
}
