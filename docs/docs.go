// Package docs holds the documents that tests hold the program against.
package docs

import _ "embed" // for JSONSchema

// JSONSchema describes what is printed with --json: each of its definitions is a
// document.
//
//go:embed json.schema.json
var JSONSchema []byte
