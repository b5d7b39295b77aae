package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"jobman/job"
	"jobman/store"
	"jobman/units"
)

// positional finds what an argument of a verb other than run could be.
func (a *app) positional(app *kong.Application, t *typed, last string) completion {
	c := onlyWords()
	if t.sub == nil && len(t.args) == 0 && !t.dashed {
		c.candidates = nodes(t.verb)
	}
	n := len(t.args)
	switch t.verb.Name {
	case "help":
		if n == 0 {
			c.candidates = nodes(app.Node)
		}
	case "completion":
		if n == 0 {
			return values("bash", "zsh", "fish", "powershell")
		}
	case "config":
		if t.sub != nil && t.sub.Name == "trust" {
			c.also = "files"
		}
	case "wait", "start":
		c.candidates = append(c.candidates, a.jobWords(t, last, store.Filter{Active: true})...)
	case "clean":
		c.candidates = append(c.candidates, a.jobWords(t, last, store.Filter{Done: true})...)
	case "logs", "rerun":
		c.candidates = append(c.candidates, a.jobWords(t, last, store.Filter{})...)
	case "signal":
		if n == 1 {
			return values(signalNames()...)
		}
		c.candidates = append(c.candidates, a.jobWords(t, last, store.Filter{Active: true})...)
	case "kill", "show":
		switch {
		case t.sub != nil && t.sub.Name == verbRun && n == 1:
			return values(a.runNumbers(t, t.args[0])...)
		case t.verb.Name == "kill" || n == 0:
			c.candidates = append(c.candidates, a.jobWords(t, last, store.Filter{Active: t.verb.Name == "kill"})...)
		}
	}
	if !t.dashed { // else they are read as flags
		c.candidates = slices.DeleteFunc(c.candidates, func(c candidate) bool { return strings.HasPrefix(c.value, "-") && !isNumber(c.value) })
	}
	return c
}

// flagValues finds what the value of a flag could be.
func (a *app) flagValues(t *typed, f *kong.Flag, last string) completion {
	if f.Enum != "" {
		return values(slices.DeleteFunc(f.EnumSlice(), func(s string) bool { return s == "" })...)
	}
	if f.IsBool() {
		return values("true", "false")
	}
	switch f.Name {
	case "chdir", "db":
		return completion{also: "dirs"}
	case "config-file", "from", "wait.file", "wait.nonopen-file", "wait.script":
		return completion{also: "files"}
	case "group":
		return onlyWords(a.groups(t)...)
	case "name", "rerun-by-name":
		return onlyWords(a.jobNames(t, store.Filter{})...)
	case "rerun-by-id", "wait.job":
		return onlyWords(a.jobWords(t, last, store.Filter{})...)
	case "job-spec":
		return values(a.settings.Names("job_spec")...)
	case "wait.sensor":
		return values(a.settings.Names("sensors")...)
	case "notify", "notify.on-success", "notify.on-retry", "notify.on-failure":
		return values(a.settings.Names("callbacks")...)
	case "status":
		return values("active", string(job.Pending), string(job.Active), string(job.Completed))
	case "result":
		return values(string(job.Success), string(job.Failure), string(job.Neutral), string(job.Killed))
	case "streams":
		return values("stdout", "stderr", "stdout,stderr")
	case "log.sink":
		return values(string(job.SinkAuto), string(job.SinkBoth), string(job.SinkFile), string(job.SinkJournal))
	case "stop-signal", "signal":
		return values(signalNames()...)
	case "run", "runs":
		return values("all")
	case "property":
		var names []string
		for _, n := range units.PropertyNames() {
			names = append(names, n+"=")
		}
		return values(names...)
	}
	return onlyWords()
}

// signalNames are those that programs are usually sent.
func signalNames() []string {
	return []string{"TERM", "INT", "HUP", "KILL", "USR1", "USR2", "QUIT", "STOP", "CONT", "WINCH", "ALRM", "ABRT"}
}

// runNumbers are the newest runs of a job.
func (a *app) runNumbers(t *typed, word string) (all []string) {
	if a.openTyped(t) != nil {
		return nil
	}
	j, err := a.lookup(word, newest, 0)
	for n := 0; err == nil && n < j.RunCount && n < 20; n++ {
		all = append(all, strconv.Itoa(j.RunCount-n))
	}
	return all
}
