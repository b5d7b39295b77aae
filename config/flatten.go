package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// entry is one value of a document, with the path of its key.
type entry struct {
	path  []string
	value any // a string, or a []string
}

// flatten lists the values of a document in the order of their paths. A list of
// tables is a table with numbers for keys, from 1; HCL says every table so.
func flatten(format string, path []string, value any, add func(entry), complain func(path []string, text string)) {
	deeper := func(key string) []string { return append(slices.Clone(path), key) }
	switch v := value.(type) {
	case nil: // says nothing
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			flatten(format, deeper(key), v[key], add, complain)
		}
	case map[any]any: // of YAML, where a key is no string
		texts := map[string]any{}
		for key, item := range v {
			texts[fmt.Sprint(key)] = item
		}
		flatten(format, path, texts, add, complain)
	case []map[string]any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = v[i]
		}
		flatten(format, path, items, add, complain)
	case []any:
		if tables(v) {
			for i, item := range v {
				to := deeper(strconv.Itoa(i + 1))
				if format == "hcl" && (len(path) != 1 || path[0] != sectionPatterns) {
					to = path
				}
				flatten(format, to, item, add, complain)
			}
			return
		}
		list := make([]string, 0, len(v))
		for _, item := range v {
			text, ok := scalar(item)
			if !ok {
				complain(path, "it is a list of something else than values")
				return
			}
			list = append(list, text)
		}
		add(entry{path, list})
	default:
		text, ok := scalar(v)
		if !ok {
			complain(path, fmt.Sprintf("%v is no value", v))
			return
		}
		add(entry{path, text})
	}
}

// tables tells whether a list is one of tables.
func tables(list []any) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(item any) bool {
		switch item.(type) {
		case map[string]any, map[any]any:
			return false
		}
		return true
	})
}

// scalar is a value as a flag would take it.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int, int64, uint64:
		return fmt.Sprint(v), true
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	case fmt.Stringer: // local dates and times of TOML
		return v.String(), true
	}
	return "", false
}
