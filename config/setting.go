package config

import (
	"slices"
	"strings"
)

// The sections of a file that are no verb's.
const (
	sectionNames     = "names"
	sectionGroups    = "groups"
	sectionPatterns  = "patterns"
	sectionSpecs     = "job_spec"
	sectionSensors   = "sensors"
	sectionCallbacks = "callbacks"
	sectionReaper    = "reaper"

	verbRun    = "run"
	keyMatch   = "match"   // of a pattern
	keyCommand = "command" // of a job-spec
)

// Level is how strong a setting is; more is stronger.
type Level uint8

// The levels.
const (
	LevelBuiltin Level = iota
	LevelGlobal
	LevelPattern
	LevelGroup
	LevelName
	LevelJobSpec
	LevelVariable
	LevelFlag
)

func (l Level) String() string {
	return [...]string{"built in", "global", "pattern", "group", "name", "job-spec", "variable", "flag"}[l]
}

// levels are those of the sections with options of run.
var levels = map[string]Level{
	verbRun: LevelGlobal, sectionPatterns: LevelPattern, sectionGroups: LevelGroup, sectionNames: LevelName, sectionSpecs: LevelJobSpec,
}

// Setting is one value that is set somewhere.
type Setting struct {
	Section string   // "" for a common option; a verb, or a section of a file
	Name    string   // of what the section has several of; of a pattern its number, from 1
	Option  string   // the flag's name, or the section's key
	Text    string   // as the flag would take it
	List    []string // not nil: a list

	Level    Level
	Variable string // where it comes from, if it is a variable

	file *file    // where it comes from, if it is a file
	path []string // of its key there
}

// Any is the value as kong takes it.
func (s Setting) Any() any {
	if s.List == nil {
		return s.Text
	}
	list := make([]any, len(s.List))
	for i, item := range s.List {
		list[i] = item
	}
	return list
}

// Items are the values of an option that takes several.
func (s Setting) Items() []string {
	if s.List != nil {
		return s.List
	}
	return SplitList(s.Text)
}

// clears tells whether a setting only takes away what weaker ones say.
func (s Setting) clears() bool { return len(s.List) == 0 && s.Text == "" }

// Origin says where a setting comes from, for people.
func (s Setting) Origin() string {
	switch {
	case s.Variable != "":
		return s.Variable
	case s.file != nil:
		return Problem{File: s.File(), Line: s.Line()}.place()
	}
	return s.Level.String()
}

// File is the file that a setting comes from; "" if it is none.
func (s Setting) File() string {
	if s.file == nil {
		return ""
	}
	return s.file.name
}

// Line is the line of the file, from 1; 0 if it is unknown.
func (s Setting) Line() int {
	if s.file == nil {
		return 0
	}
	return s.file.line(s.path)
}

// Problem is what is wrong with a setting.
func (s Setting) Problem(text string) Problem {
	if s.Variable != "" {
		return Problem{Key: s.Variable, Text: text}
	}
	return Problem{File: s.File(), Line: s.Line(), Key: s.Key(), Text: text}
}

// TableProblem is what is wrong with the settings of a table together, of which this
// is one.
func (s Setting) TableProblem(text string) Problem {
	key := s.Section
	if s.Name != "" {
		key += "." + tomlKey(s.Name)
	}
	return Problem{File: s.File(), Line: s.Line(), Key: key, Text: text}
}

// OfRun tells whether a section has options of run.
func OfRun(section string) bool { return levels[section] != 0 }

// Key is how a TOML file would write where the setting is.
func (s Setting) Key() string {
	parts := []string{fileOption(s.Section, s.Option)}
	if s.Name != "" {
		parts = slices.Insert(parts, 0, tomlKey(s.Name))
	}
	if s.Section != "" {
		parts = slices.Insert(parts, 0, s.Section)
	}
	return strings.Join(parts, ".")
}

// SplitList takes a list apart that is one text: at its commas, but those that
// follow a backslash.
func SplitList(text string) []string {
	list := []string{}
	if text == "" {
		return list
	}
	var item strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == ',':
			item.WriteByte(',')
			i++
		case text[i] == ',':
			list = append(list, item.String())
			item.Reset()
		default:
			item.WriteByte(text[i])
		}
	}
	return append(list, item.String())
}

// JoinList is the opposite of SplitList.
func JoinList(list []string) string {
	escaped := make([]string, len(list))
	for i, item := range list {
		escaped[i] = strings.ReplaceAll(item, ",", `\,`)
	}
	return strings.Join(escaped, ",")
}
