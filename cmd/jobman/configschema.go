package main

import (
	"encoding/json"

	"jobman/config"
)

type configSchemaCmd struct{}

// Help implements kong's hook for the text below the summary.
func (*configSchemaCmd) Help() string {
	return `Examples:
  jobman config schema > ~/.jobman.schema.json`
}

// Run prints a JSON Schema.
func (*configSchemaCmd) Run(a *app) error {
	var g grammar
	k, err := newParser(&g, helpWriter{})
	if err != nil {
		return err
	}
	schema := config.JSONSchema(schemaOf(k.Model))
	if a.JSON {
		return a.printJSON(schema)
	}
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(schema)
}
