// Package config is where settings come from beside the command line: variables
// and configuration files, through viper. It is viper's only home.
//
// What is set where, strongest first (docs/design.md, "Configuration"):
//
//	flag       the command line; not here
//	variable   JOBMAN_OPTION of run and the common options, JOBMAN_VERB_OPTION of others
//	job-spec   [job_spec.NAME]
//	name       [names.NAME]
//	group      [groups.NAME]
//	pattern    [[patterns]], whose match is found in the command line; later wins
//	global     [run], or the table of another verb, or a common option
//
// The level decides before the file; within a level the stronger file does (see
// [Places]). A job's options are resolved once, when it is submitted.
//
// Files are decoded by viper's codecs, and not kept in a viper.Viper: that folds
// the case of keys and splits them at dots, and names of jobs and groups have both.
package config

import (
	"os"
	"strings"
)

// Settings answer for options that were not given on the command line.
type Settings struct {
	files    []*file // strongest first
	schema   Schema
	problems Problems
}

// Load reads the configuration files there are. schema is called where there is
// one: without, nothing is built. What is wrong with them is told by Err.
func Load(places Places, schema func() Schema) *Settings {
	s := new(Settings)
	for _, p := range places.all() {
		f, problem := p.find()
		if problem != nil {
			s.problems = append(s.problems, *problem)
			continue
		}
		if f == nil {
			continue
		}
		if s.schema.Run == nil {
			s.schema = schema()
		}
		s.problems = append(s.problems, f.read(&s.schema, places.Trusted)...)
		s.files = append(s.files, f)
	}
	s.problems.Sort()
	return s
}

// Err is what is wrong with the files; nil if nothing is.
func (s *Settings) Err() error {
	if len(s.problems) == 0 {
		return nil
	}
	return s.problems
}

// Empty tells whether there is no file.
func (s *Settings) Empty() bool { return len(s.files) == 0 }

// Lookup returns the value of an option of a verb other than run (kill-run for
// `kill run`), of a common option with an empty verb, or of a section such as
// reaper; ok is false where none is set, or where it is cleared. Lists are []any,
// everything else is a string.
func (s *Settings) Lookup(verb, option string) (value any, ok bool) {
	found, ok := s.Find(verb, option)
	return found.Any(), ok
}

// Find is Lookup with where the value comes from.
func (s *Settings) Find(verb, option string) (Setting, bool) {
	if v, ok := variable(verb, option); ok {
		return v, !v.clears()
	}
	for _, f := range s.files {
		for _, set := range f.settings {
			if set.Section == verb && set.Name == "" && set.Option == option {
				return set, !set.clears()
			}
		}
	}
	return Setting{}, false
}

// variable is what the environment says of an option.
func variable(verb, option string) (Setting, bool) {
	name := Variable(verb, option)
	text, ok := os.LookupEnv(name)
	return Setting{Section: verb, Option: option, Text: text, Level: LevelVariable, Variable: name}, ok
}

// Variable is the name of the environment variable of an option.
func Variable(verb, option string) string {
	name := "JOBMAN_"
	if verb != "" && verb != verbRun {
		name += verb + "_"
	}
	return envName(name + option)
}

// envName is how a name is written where there are neither dots nor dashes.
func envName(name string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}
