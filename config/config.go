// Package config is where settings come from beside the command line: variables
// and configuration files, through viper. Options are resolved once, when a
// command begins; what a job does is stored with it.
//
// Of the sources that docs/design.md lists, this reads the global level: a
// [verb] table and the common options of one file, and the variables
// JOBMAN_OPTION (of `run` and the common options) and JOBMAN_VERB_OPTION.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/viper"
)

// Settings answer for options that were not given on the command line.
type Settings struct {
	getenv func(string) (string, bool)
	files  []*viper.Viper // strongest first
}

// Load reads the configuration: the file named, which must be there, else the
// first of jobman's own that is, in home and then in etc. Reading nothing costs
// nothing: viper is not even made.
func Load(file, home, etc string) (*Settings, error) {
	s := &Settings{getenv: os.LookupEnv}
	if file != "" {
		return s, s.read(file)
	}
	for _, pattern := range []string{filepath.Join(home, ".jobman.*"), filepath.Join(etc, "jobman.*")} {
		name, err := only(pattern)
		if err != nil {
			return nil, err
		}
		if name != "" {
			if err := s.read(name); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// only returns the one file of a place whose ending is a format's.
func only(pattern string) (string, error) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	found := ""
	for _, name := range names {
		if !isFormat(strings.TrimPrefix(filepath.Ext(name), ".")) {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("there are two configurations in one place: %s and %s", found, name)
		}
		found = name
	}
	return found, nil
}

func isFormat(ext string) bool {
	for _, known := range []string{"toml", "yaml", "yml", "json"} {
		if ext == known {
			return true
		}
	}
	return false
}

func (s *Settings) read(file string) error {
	v := viper.New()
	v.SetConfigFile(file)
	if err := v.ReadInConfig(); err != nil {
		var missing viper.ConfigFileNotFoundError
		if errors.As(err, &missing) {
			return fmt.Errorf("there is no configuration %s", file)
		}
		return fmt.Errorf("read the configuration %s: %w", file, err)
	}
	s.files = append(s.files, v)
	return nil
}

// Lookup returns the value of an option of a verb (kill-run for `kill run`), or
// of a common option with an empty verb; ok is false where none is set. Lists
// are []any, everything else is a string.
func (s *Settings) Lookup(verb, option string) (value any, ok bool) {
	if v, ok := s.getenv(Variable(verb, option)); ok {
		return v, true
	}
	key := option
	if verb != "" {
		key = verb + "." + option
	}
	for _, f := range s.files {
		if !f.IsSet(key) {
			continue
		}
		if list, is := f.Get(key).([]any); is {
			return list, true
		}
		return f.GetString(key), true
	}
	return nil, false
}

// Variable is the name of the environment variable of an option.
func Variable(verb, option string) string {
	name := "JOBMAN_"
	if verb != "" && verb != "run" {
		name += verb + "_"
	}
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name + option))
}
