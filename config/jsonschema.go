package config

import "strings"

// JSONSchema is a schema of configuration files for editors, see json-schema.org,
// in the form that encoding/json writes.
func JSONSchema(schema Schema) map[string]any {
	properties := map[string]any{}
	for _, o := range schema.Common {
		properties[o.Name] = o.jsonSchema()
	}
	properties[verbRun] = table(verbRun, schema.Run)
	for _, verb := range schema.Verbs() {
		properties[verb] = table(verb, schema.keys(verb))
	}
	properties[sectionReaper] = table(sectionReaper, reaperKeys)
	for _, section := range named {
		inner := table(section, schema.keys(section))
		if section == sectionPatterns {
			inner["required"] = []string{keyMatch}
			properties[section] = map[string]any{"anyOf": []any{
				map[string]any{"type": "array", "items": inner},
				map[string]any{"type": "object", "additionalProperties": inner},
			}}
			continue
		}
		properties[section] = map[string]any{"type": "object", "additionalProperties": inner}
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "jobman's configuration",
		"type": "object", "properties": properties, "additionalProperties": false,
	}
}

// table is the schema of a table of options: what stands before a dot is a table
// of its own.
func table(section string, options []Option) map[string]any {
	root := map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{}}
	for _, o := range options {
		if o.Once || section == sectionNames && o.Name == "name" || section == sectionGroups && (o.Name == "name" || o.Name == "group") {
			continue
		}
		if _, ofRun := levels[section]; ofRun && o.Name == "timeout" {
			continue // a table: timeout.run
		}
		at := root
		parts := strings.Split(fileOption(section, o.Name), ".")
		for _, part := range parts[:len(parts)-1] {
			properties := at["properties"].(map[string]any)
			if properties[part] == nil {
				properties[part] = map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{}}
			}
			at = properties[part].(map[string]any)
		}
		at["properties"].(map[string]any)[parts[len(parts)-1]] = o.jsonSchema()
	}
	return root
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
