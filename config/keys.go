package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// place finds out what the path of a key in a file means.
func (r *reader) place(path []string) (Setting, string) {
	switch r.format {
	case "env":
		return r.placeEnv(path[0])
	case "ini", "properties":
		path = strings.Split(strings.Join(path, "."), ".")
		if r.format == "ini" && path[0] == "DEFAULT" { // what is above all sections
			path = path[1:]
		}
	}
	all := strings.Join(path, ".")
	if find(r.schema.Common, all) != nil {
		return Setting{Option: all}, ""
	}
	section, rest := path[0], path[1:]
	switch {
	case slices.Contains(named, section):
		return r.placeNamed(section, rest)
	case len(rest) == 0 && r.schema.keys(section) != nil:
		return Setting{}, "it is a table, not a value"
	case r.schema.keys(section) != nil:
		option := strings.Join(rest, ".")
		return r.known(Setting{Section: section, Option: option})
	}
	return Setting{}, unknown(all, r.tops())
}

// placeNamed finds out where a name ends and the option begins: the longest option
// that there is is meant. Where no quotes keep a name together, it may have dots.
func (r *reader) placeNamed(section string, path []string) (Setting, string) {
	options := r.schema.keys(section)
	for i := 1; i < len(path); i++ {
		set := Setting{Section: section, Name: strings.Join(path[:i], "."), Option: strings.Join(path[i:], ".")}
		if isOption(options, section, set.Option) {
			return r.known(set)
		}
	}
	if len(path) < 2 {
		return Setting{}, "it is a table, not a value"
	}
	return r.known(Setting{Section: section, Name: path[0], Option: strings.Join(path[1:], ".")})
}

// known checks that there is such an option, and that what it is of has a name.
func (r *reader) known(set Setting) (Setting, string) {
	options := r.schema.keys(set.Section)
	if !isOption(options, set.Section, set.Option) {
		return set, unknown(set.Option, fileNames(options, set.Section))
	}
	if find(options, set.Option) == nil {
		set.Option = canonical(set.Section, set.Option)
	}
	if !slices.Contains(named, set.Section) {
		return set, ""
	}
	if set.Section == sectionPatterns {
		if n, err := strconv.Atoi(set.Name); err != nil || n < 1 || strconv.Itoa(n) != set.Name {
			return set, fmt.Sprintf("patterns are a list, or have numbers from 1, such as patterns.1.%s", set.Option)
		}
	}
	if set.Name == "" {
		return set, fmt.Sprintf("an empty name names nothing; write %s.NAME.%s", set.Section, set.Option)
	}
	return set, ""
}

func isOption(options []Option, section, name string) bool {
	return find(options, name) != nil || find(options, canonical(section, name)) != nil
}

// fileNames are the options of a section as files write them.
func fileNames(options []Option, section string) []string {
	all := names(options)
	for i, name := range all {
		all[i] = fileOption(section, name)
	}
	return all
}

// tops are the keys at the top of a file.
func (r *reader) tops() []string {
	return slices.Concat(names(r.schema.Common), named, []string{verbRun, sectionReaper}, r.schema.Verbs())
}

func unknown(key string, known []string) string {
	text := "there is no such key"
	if near := nearest(key, known); near != "" {
		text += fmt.Sprintf("; the nearest is %q", near)
	}
	return text
}

// placeEnv is place for a dotenv file, whose keys are whole paths with _ between
// words. Names are in between, and keep their case.
func (r *reader) placeEnv(key string) (Setting, string) {
	upper := strings.ToUpper(key)
	for _, o := range r.schema.Common {
		if upper == envName(o.Name) {
			return Setting{Option: o.Name}, ""
		}
	}
	sections := slices.Concat(named, []string{verbRun, sectionReaper}, r.schema.Verbs())
	// The longest section that fits: KILL_RUN_X is of kill-run, unless that has no X.
	slices.SortFunc(sections, func(a, b string) int { return len(b) - len(a) })
	var known []string
	for _, section := range sections {
		prefix := envName(section) + "_"
		rest, fits := strings.CutPrefix(upper, prefix)
		if !fits {
			continue
		}
		options := r.schema.keys(section)
		if !slices.Contains(named, section) {
			for _, name := range slices.Concat(fileNames(options, section), names(options)) {
				if rest == envName(name) {
					return r.known(Setting{Section: section, Option: name})
				}
				known = append(known, prefix+envName(name))
			}
			continue
		}
		best := Setting{Section: section}
		for _, name := range slices.Concat(fileNames(options, section), names(options)) {
			if of, is := strings.CutSuffix(rest, "_"+envName(name)); is && of != "" && len(name) > len(best.Option) {
				best.Option, best.Name = name, key[len(prefix):len(prefix)+len(of)]
			}
		}
		if best.Option != "" {
			return r.known(best)
		}
		of, _, _ := strings.Cut(key[len(prefix):], "_")
		for _, name := range fileNames(options, section) {
			known = append(known, prefix+of+"_"+envName(name))
		}
	}
	if known == nil {
		for _, top := range r.tops() {
			known = append(known, envName(top))
		}
	}
	return Setting{}, unknown(key, known)
}
