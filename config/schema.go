package config

import "slices"

// Option is an option that can be set in a file, or a key of a section.
type Option struct {
	Name    string
	Type    string   // of JSON Schema: "string", "boolean", "integer", "number"
	List    bool     // takes several
	Codes   bool     // a list is one text with commas, too
	Enum    []string // all values there are; nil: others too
	Default string
	Help    string
	Once    bool // makes sense on the command line only
}

// Schema is what options there are. It is made from the grammar of the command
// line.
type Schema struct {
	Common []Option
	Run    []Option
	// Verb returns the options of another verb (kill-run for `kill run`).
	Verb func(name string) ([]Option, bool)
	// Verbs are the names of those that have options.
	Verbs func() []string
}

func find(options []Option, name string) *Option {
	i := slices.IndexFunc(options, func(o Option) bool { return o.Name == name })
	if i < 0 {
		return nil
	}
	return &options[i]
}

// named are the sections that have several of something, each with a name.
var named = []string{sectionNames, sectionGroups, sectionPatterns, sectionSpecs, sectionSensors, sectionCallbacks}

// keys are those of a section's tables; nil for what is no section.
func (s *Schema) keys(section string) []Option {
	switch section {
	case "":
		return s.Common
	case verbRun, sectionNames, sectionGroups:
		return s.Run
	case sectionPatterns:
		return append([]Option{{Name: keyMatch, Type: "string", Help: "A regular expression (RE2) that is found in the command line of the jobs that this is for."}}, s.Run...)
	case sectionSpecs:
		return append([]Option{{Name: keyCommand, Type: "string", List: true, Help: "The command and its arguments."}}, s.Run...)
	case sectionSensors:
		return sensorKeys
	case sectionCallbacks:
		return callbackKeys()
	case sectionReaper:
		return reaperKeys
	}
	options, _ := s.Verb(section)
	return options
}

// canonical is the option that a file's key stands for: notify and timeout are
// both option and table, and no format can have both.
func canonical(section, key string) string {
	if _, ofRun := levels[section]; !ofRun {
		return key
	}
	switch key {
	case "notify.any":
		return optionNotify
	case "timeout":
		return "timeout.run"
	}
	return key
}

// fileOption is how a file writes an option.
func fileOption(section, option string) string {
	if _, ofRun := levels[section]; ofRun && option == optionNotify {
		return "notify.any"
	}
	return option
}

const optionNotify = "notify"

// adds tells whether the values of an option on all levels add up.
func adds(option string) bool {
	switch option {
	case optionNotify, "notify.on-success", "notify.on-retry", "notify.on-failure":
		return true
	}
	return false
}
