package config

import "strings"

// JSONSchema is a schema of configuration files for editors, see json-schema.org,
// in the form that encoding/json writes.
func JSONSchema(schema Schema) map[string]any {
	properties := map[string]any{}
	for _, o := range schema.Common {
		if !o.Once {
			properties[o.Name] = o.jsonSchema()
		}
	}
	properties[verbRun] = table(verbRun, schema.Run)
	for _, verb := range schema.Verbs() {
		properties[verb] = table(verb, schema.keys(verb))
	}
	properties[sectionReaper] = table(sectionReaper, reaperKeys)
	for _, section := range named {
		inner := table(section, schema.keys(section))
		if section == sectionPatterns {
			inner.Required = []string{keyMatch}
			properties[section] = map[string]any{"anyOf": []any{
				map[string]any{"type": "array", "items": inner}, object{Type: "object", Additional: inner},
			}}
			continue
		}
		properties[section] = object{Type: "object", Additional: inner}
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "jobman's configuration",
		"type": "object", "properties": properties, "additionalProperties": false,
	}
}

// object is the schema of a table.
type object struct {
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties,omitempty"`
	Additional any            `json:"additionalProperties"`
	Required   []string       `json:"required,omitempty"`
}

// table is the schema of a table of options: what stands before a dot is a table
// of its own.
func table(section string, options []Option) *object {
	tables := map[string]*object{}
	var at func(name string) *object
	at = func(name string) *object {
		if tables[name] != nil {
			return tables[name]
		}
		tables[name] = &object{Type: "object", Properties: map[string]any{}, Additional: false}
		if name != "" {
			above, last := cutLast(name)
			at(above).Properties[last] = tables[name]
		}
		return tables[name]
	}
	for _, o := range options {
		if o.Once || section == sectionNames && o.Name == "name" || section == sectionGroups && (o.Name == "name" || o.Name == "group") {
			continue
		}
		if OfRun(section) && o.Name == "timeout" {
			continue // a table: timeout.run
		}
		above, last := cutLast(fileOption(section, o.Name))
		at(above).Properties[last] = o.jsonSchema()
	}
	return at("")
}

// cutLast cuts a dotted name at its last dot.
func cutLast(name string) (above, last string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(0, i)], name[i+1:]
}

func (o Option) jsonSchema() map[string]any {
	// A value may be written as the flag takes it, too.
	one := map[string]any{"type": o.Type}
	if o.Type != "string" {
		one["type"] = []string{o.Type, "string"}
	}
	if o.Enum != nil {
		one["enum"] = o.Enum
	}
	out := one
	if o.List || o.Codes {
		out = map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one}}}
	}
	out["description"] = o.Help
	if o.Default != "" {
		out["default"] = o.Default
	}
	return out
}
