package config

import (
	"fmt"
	"slices"

	"jobman/job"
)

// Subject is the job whose options are wanted, as far as the command line says.
type Subject struct {
	JobSpec string   // whose options are taken; "": none
	Name    *string  // nil: not given
	Group   *string  // nil: not given
	Command []string // none: that of the job-spec
}

// Resolved are the options of run for one job.
type Resolved struct {
	Command []string
	Name    string // also where it is the command line
	Group   string

	layers []layer // of files, strongest first
}

// layer is what one file says on one level.
type layer []Setting

// Resolve settles a job's name, then its group, then which of the options of run
// hold for it. There may be no job-spec of that name.
func (s *Settings) Resolve(sub Subject) (*Resolved, error) {
	r := &Resolved{Command: sub.Command}
	if set, short := variable(verbRun, "retry"); short {
		for _, option := range []string{"retries.num-runs", "retries.num-successes"} {
			if _, long := variable(verbRun, option); long {
				return nil, set.Problem("it is short for " + Variable(verbRun, "retries.num-runs") + " and " + Variable(verbRun, "retries.num-successes") + ", and can't stand beside either")
			}
		}
	}
	var specs, named, grouped, matched, global []layer
	if sub.JobSpec != "" {
		if specs = s.of(sectionSpecs, sub.JobSpec); len(specs) == 0 {
			return nil, s.missing(sectionSpecs, "job-spec", sub.JobSpec)
		}
		for _, l := range specs {
			if command := l.find(keyCommand); command != nil && len(r.Command) == 0 {
				r.Command = command.List
			}
		}
	}
	line := job.DefaultName(job.Texts(r.Command))
	for _, f := range s.files {
		for _, p := range slices.Backward(f.patterns) {
			if len(r.Command) > 0 && p.match.MatchString(line) {
				matched = append(matched, f.layer(sectionPatterns, p.number))
			}
		}
	}
	global = s.of(verbRun, "")

	r.layers = slices.Concat(specs, matched, global)
	r.Name = line
	if sub.Name != nil {
		if *sub.Name != "" {
			r.Name = *sub.Name
		}
	} else if set, ok := r.Find("name"); ok {
		r.Name = set.Text
	}
	named = s.of(sectionNames, r.Name)
	r.layers = slices.Concat(specs, named, matched, global)
	if sub.Group != nil {
		r.Group = *sub.Group
	} else if set, ok := r.Find("group"); ok {
		r.Group = set.Text
	}
	if r.Group != "" {
		grouped = s.of(sectionGroups, r.Group)
	}
	r.layers = slices.Concat(specs, named, grouped, matched, global)
	return r, nil
}

// of are the layers of a section's table in all files that have it.
func (s *Settings) of(section, name string) (layers []layer) {
	for _, f := range s.files {
		if l := f.layer(section, name); len(l) > 0 {
			layers = append(layers, l)
		}
	}
	return layers
}

func (f *file) layer(section, name string) (l layer) {
	for _, set := range f.settings {
		if set.Section == section && set.Name == name {
			l = append(l, set)
		}
	}
	return l
}

func (l layer) find(option string) *Setting {
	i := slices.IndexFunc(l, func(set Setting) bool { return set.Option == option })
	if i < 0 {
		return nil
	}
	return &l[i]
}

// missing tells that a section has nothing of a name.
func (s *Settings) missing(section, what, name string) error {
	text := fmt.Sprintf("there is no %s %q in the configuration", what, name)
	if near := nearest(name, s.Names(section)); near != "" {
		text += fmt.Sprintf("; the nearest is %q", near)
	}
	return Problem{Text: text}
}

// Names are those of which a section has several, sorted.
func (s *Settings) Names(section string) (all []string) {
	for _, f := range s.files {
		for _, set := range f.settings {
			if set.Section == section && !slices.Contains(all, set.Name) {
				all = append(all, set.Name)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Find returns what holds for an option of run; ok is false where it is the
// built-in default. The values of notify and notify.on-* add up.
func (r *Resolved) Find(option string) (_ Setting, ok bool) {
	var sum Setting
	for set := range r.each(option) {
		if set.clears() {
			break
		}
		if !adds(option) {
			return set, true
		}
		items := sum.List
		for _, item := range set.Items() {
			if !slices.Contains(items, item) {
				items = append(items, item)
			}
		}
		if sum.List == nil {
			sum = set
		}
		sum.List = items
	}
	return sum, sum.List != nil
}

// Lookup is Find with the value as kong takes it.
func (r *Resolved) Lookup(option string) (any, bool) {
	set, ok := r.Find(option)
	return set.Any(), ok
}

// each are the settings of an option, strongest first.
func (r *Resolved) each(option string) func(func(Setting) bool) {
	return func(yield func(Setting) bool) {
		if set, ok := ofRun(option); ok && !yield(set) {
			return
		}
		for _, l := range r.layers {
			if set := l.find(option); set != nil && !yield(*set) {
				return
			}
		}
	}
}

// ofRun is what the variables say of an option of run, with those that are short
// for others.
func ofRun(option string) (Setting, bool) {
	set, ok := variable(verbRun, option)
	if ok {
		return set, true
	}
	switch option {
	case "timeout.run":
		set, ok = variable(verbRun, "timeout")
	case "retries.num-runs", "retries.num-successes":
		set, ok = variable(verbRun, "retry")
		if !ok {
			break
		}
		runs, successes, err := Retry(set.Text)
		if err == nil && option == "retries.num-runs" {
			set.Text = runs
		} else if err == nil {
			set.Text = successes
		}
	}
	set.Option = option
	return set, ok
}
