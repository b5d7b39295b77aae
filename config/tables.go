package config

import (
	"slices"
	"strconv"
)

// Sections are those that [Settings.Tables] can list.
func (s *Settings) Sections() []string {
	all := append([]string{sectionPatterns}, sectionGroups, sectionNames, sectionSpecs, sectionSensors, sectionCallbacks, sectionReaper)
	if s.schema.Verbs != nil {
		all = append(all, s.schema.Verbs()...)
	}
	return all
}

// Tables are the settings of a section as they hold where several files have it:
// the stronger file wins, and its patterns come last.
func (s *Settings) Tables(section string) (all []Setting) {
	if section == sectionPatterns {
		n := 0
		for _, f := range slices.Backward(s.files) {
			for _, p := range f.patterns {
				n++
				for _, set := range f.layer(section, p.number) {
					set.Name = strconv.Itoa(n)
					all = append(all, set)
				}
			}
		}
		return all
	}
	for _, name := range s.Names(section) {
		var kept layer
		for _, l := range s.of(section, name) {
			for _, set := range l {
				if kept.find(set.Option) == nil {
					kept = append(kept, set)
				}
			}
		}
		all = append(all, kept...)
	}
	return all
}

// Each calls do for every setting of every file, strongest file first.
func (s *Settings) Each(do func(Setting)) {
	for _, f := range s.files {
		for _, set := range f.settings {
			do(set)
		}
	}
}
