package job

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Sensor is a named group of conditions of one kind, which counts as one condition:
// it is met when all of its own hold, or with Any one of them, and have for Delay.
// At the end of the delay they are looked at once more, like everything else that
// a job waits for; if they hold no longer, the delay begins anew when they do.
type Sensor struct {
	Name         string   `json:"name"` // for people: what it was called in the configuration
	Kind         Kind     `json:"type"`
	Targets      []Text   `json:"targets"` // as of a [Condition]
	Any          bool     `json:"any,omitzero"`
	Delay        Duration `json:"delay,omitzero"`
	PollInterval Duration `json:"poll-interval,omitzero"` // of what is polled
}

// Check tells why nobody could wait for a sensor.
func (s *Sensor) Check() error {
	switch s.Kind {
	case KindDatetime, KindTimedelta, KindFile, KindNonopenFile, KindScript, KindHTTP, KindS3, KindJob:
	default:
		return fmt.Errorf("%q: there is no type %q", s.Name, s.Kind)
	}
	err := checkLabel(s.Name)
	switch {
	case err != nil:
		return err
	case len(s.Targets) == 0:
		return fmt.Errorf("%q waits for nothing", s.Name)
	case s.Delay < 0:
		return fmt.Errorf("%q: delay is negative", s.Name)
	case s.Kind.Polled() && s.PollInterval <= 0:
		return fmt.Errorf("%q: poll-interval must be longer than nothing", s.Name)
	}
	for _, target := range s.Targets {
		switch s.Kind {
		case KindDatetime:
			_, err = time.Parse(time.RFC3339Nano, string(target))
		case KindTimedelta:
			_, err = ParseDuration(string(target))
		case KindJob:
			if id, outcome := Awaited(target); !IsID(string(id)) || !slices.Contains([]string{"success", "failure", "any"}, outcome) {
				err = errors.New("a job is ID:success, ID:failure or ID:any")
			}
		}
		if err != nil {
			return fmt.Errorf("%q: %w", s.Name, err)
		}
	}
	return nil
}

// term is a part of what is waited for, as it is at one moment: a condition, a
// sensor, or the whole.
type term struct {
	met        bool
	proved     bool // met, by what was seen just now
	impossible bool
	timed      bool      // it depends on nothing but times
	at         time.Time // since when it is met, or else when it may be of itself; zero: unknown
}

// combine is what terms are together.
func combine(terms []term, any bool) term {
	t := term{met: !any, proved: !any, impossible: any, timed: true}
	for _, part := range terms {
		t.timed = t.timed && part.timed
		if any {
			t.met, t.proved, t.impossible = t.met || part.met, t.proved || part.proved, t.impossible && part.impossible
		} else {
			t.met, t.proved, t.impossible = t.met && part.met, t.proved && part.proved, t.impossible || part.impossible
		}
	}
	// Of those that are like the whole the last one decides, or with any the first.
	for _, part := range terms {
		if part.met == t.met && !part.at.IsZero() && (t.at.IsZero() || part.at.After(t.at) != any) {
			t.at = part.at
		}
	}
	return t
}

// absorbChecks takes in what was found of the conditions, and since when those of
// sensors hold.
func (j *Job) absorbChecks(o Observation) {
	for i := range j.Conditions {
		c := &j.Conditions[i]
		switch {
		case c.Kind.Timed():
			c.take(Check{At: o.Now, Met: !o.Now.Before(j.DueAt(*c))})
		case i < len(o.Checks) && !o.Checks[i].At.IsZero():
			found := o.Checks[i]
			if c.Kind.Polled() {
				found.At = o.Now // the same for all of one evaluation, so that they stay together
			}
			c.take(found)
		}
	}
	if j.Held == nil && len(j.Spec.Wait.Sensor) > 0 {
		j.Held = make([]time.Time, len(j.Spec.Wait.Sensor))
	}
	for i := range j.Held {
		inner := j.sensorConditions(i, o)
		switch {
		case !inner.met:
			j.Held[i] = time.Time{}
		case inner.timed:
			j.Held[i] = inner.at
		case j.Held[i].IsZero() || o.Now.Before(j.Held[i]):
			j.Held[i] = o.Now
		}
	}
}

// whole is all that the job waits for.
func (j *Job) whole(o Observation) term {
	var terms []term
	for i := range j.Conditions {
		if j.Conditions[i].Sensor == 0 {
			terms = append(terms, j.condition(i, o))
		}
	}
	for i := range j.Held {
		terms = append(terms, j.sensor(i, o))
	}
	if len(terms) == 0 {
		return term{met: true, proved: true, timed: true, at: j.Since}
	}
	return combine(terms, j.Spec.Wait.Any)
}

// sensor is a sensor with its delay.
func (j *Job) sensor(i int, o Observation) term {
	delay := time.Duration(j.Spec.Wait.Sensor[i].Delay)
	t := j.sensorConditions(i, o)
	if t.met {
		t.at = j.Held[i]
	}
	if !t.at.IsZero() {
		t.at = later(t.at, delay)
	}
	if t.met && o.Now.Before(t.at) {
		t.met, t.proved = false, false
	}
	return t
}

// sensorConditions are a sensor's conditions together.
func (j *Job) sensorConditions(sensor int, o Observation) term {
	var terms []term
	for i := range j.Conditions {
		if j.Conditions[i].Sensor == sensor+1 {
			terms = append(terms, j.condition(i, o))
		}
	}
	return combine(terms, j.Spec.Wait.Sensor[sensor].Any)
}

// condition is one condition.
func (j *Job) condition(i int, o Observation) term {
	c := j.Conditions[i]
	t := term{met: c.Met, proved: c.Met, impossible: c.Impossible, timed: c.Kind.Timed()}
	switch {
	case t.timed:
		t.at = j.DueAt(c)
	case c.Kind.Polled():
		// What was met at an earlier look proves nothing now.
		t.proved = c.Met && i < len(o.Checks) && !o.Checks[i].At.IsZero()
	}
	return t
}

// DueAt is when a timed condition is met: a moment, or a time after the submission.
func (j *Job) DueAt(c Condition) time.Time {
	if c.Kind == KindDatetime {
		at, err := time.Parse(time.RFC3339Nano, string(c.Target))
		if err != nil {
			return j.Since // none that Check lets pass
		}
		return at
	}
	d, err := ParseDuration(string(c.Target))
	if err != nil {
		return j.Since
	}
	since := j.Since
	if since.IsZero() {
		since = j.SubmittedAt
	}
	return later(since, time.Duration(d))
}
