package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// AppendTOML writes settings as a file would have them, secrets too. comment says what stands
// behind a line; nil: nothing.
func AppendTOML(out []byte, settings []Setting, comment func(Setting) string) []byte {
	settings = slices.Clone(settings)
	slices.SortStableFunc(settings, func(a, b Setting) int {
		if a.Section != b.Section {
			return cmp.Or(rank(a.Section)-rank(b.Section), strings.Compare(a.Section, b.Section))
		}
		if n, err := strconv.Atoi(a.Name); err == nil && a.Section == sectionPatterns {
			if m, err := strconv.Atoi(b.Name); err == nil && n != m {
				return n - m
			}
		}
		return strings.Compare(a.Name, b.Name)
	})
	for i, set := range settings {
		if begins := i == 0 || settings[i-1].Section != set.Section || settings[i-1].Name != set.Name; begins && set.Section != "" {
			if len(out) > 0 {
				out = append(out, '\n')
			}
			out = append(append(out, set.header()...), '\n')
		}
		out = fmt.Appendf(out, "%s = %s", fileOption(set.Section, set.Option), set.tomlValue())
		if comment != nil {
			out = fmt.Appendf(out, "  # %s", comment(set))
		}
		out = append(out, '\n')
	}
	return out
}

// rank is where a section stands: the common options first, which no table may
// precede, then the verbs.
func rank(section string) int {
	order := []string{"", verbRun, "a verb", sectionPatterns, sectionGroups, sectionNames, sectionSpecs, sectionSensors, sectionCallbacks, sectionReaper}
	if i := slices.Index(order, section); i >= 0 {
		return i
	}
	return 2
}

// header begins the table that a setting is in.
func (s Setting) header() string {
	switch {
	case s.Section == sectionPatterns:
		return "[[patterns]]"
	case s.Name != "":
		return "[" + s.Section + "." + tomlKey(s.Name) + "]"
	}
	return "[" + s.Section + "]"
}

func (s Setting) tomlValue() string {
	if s.List == nil {
		return tomlText(s.Text)
	}
	items := make([]string, len(s.List))
	for i, item := range s.List {
		items[i] = tomlString(item)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// tomlText writes what is a number or a boolean as such.
func tomlText(text string) string {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text || text == "true" || text == "false" {
		return text
	}
	return tomlString(text)
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func tomlKey(key string) string {
	if bareKey.MatchString(key) {
		return key
	}
	return tomlString(key)
}

func tomlString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < 0x20 || c >= 0x7f && c < 0xa0:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
