package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"jobman/docs"
)

// schema DEFINITION FILE: all JSON documents in the file are as docs/json.schema.json
// says, and have no key that it lacks. There must be one.
func schema(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: schema DEFINITION FILE")
	}
	var s struct {
		Defs map[string]shape `json:"$defs"`
	}
	ts.Check(json.Unmarshal(docs.JSONSchema, &s))
	if _, ok := s.Defs[args[0]]; !ok {
		ts.Fatalf("there is no definition %q", args[0])
	}
	n := 0
	for d := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile(args[1])))); ; n++ {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		if err := (shape{Ref: "#/$defs/" + args[0]}).check(s.Defs, v); err != nil {
			ts.Fatalf("document %d: %s%v", n+1, args[0], err)
		}
	}
	if n == 0 {
		ts.Fatalf("there is no document")
	}
}

// shape is the part of JSON Schema that ours is made of.
type shape struct {
	Ref        string           `json:"$ref"`
	Type       any              `json:"type"`
	AnyOf      []shape          `json:"anyOf"`
	Enum       []any            `json:"enum"`
	Properties map[string]shape `json:"properties"`
	Required   []string         `json:"required"`
	Additional *shape           `json:"additionalProperties"`
	Items      *shape           `json:"items"`
}

// check tells what is wrong with a value, beginning with where.
func (s shape) check(defs map[string]shape, v any) error {
	if s.Ref != "" {
		return defs[s.Ref[len("#/$defs/"):]].check(defs, v)
	}
	if len(s.AnyOf) > 0 {
		var err error
		for _, one := range s.AnyOf {
			if err = one.check(defs, v); err == nil {
				return nil
			}
		}
		return err
	}
	if got := kindOf(v); !s.allows(got) {
		return fmt.Errorf(" is %s %v, and may be %v", got, v, s.Type)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		return fmt.Errorf(" is %v, and may be one of %v", v, s.Enum)
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if s.Items == nil {
				break
			}
			if err := s.Items.check(defs, item); err != nil {
				return fmt.Errorf("[%d]%w", i, err)
			}
		}
	case map[string]any:
		return s.checkObject(defs, v)
	}
	return nil
}

func (s shape) checkObject(defs map[string]shape, v map[string]any) error {
	for _, key := range s.Required {
		if _, ok := v[key]; !ok {
			return fmt.Errorf(".%s is missing", key)
		}
	}
	for key, value := range v {
		of, ok := s.Properties[key]
		switch {
		case ok:
		case s.Additional != nil:
			of = *s.Additional
		default:
			return fmt.Errorf(".%s is in no document: add it to docs/json.schema.json", key)
		}
		if err := of.check(defs, value); err != nil {
			return fmt.Errorf(".%s%w", key, err)
		}
	}
	return nil
}

func (s shape) allows(kind string) bool {
	switch t := s.Type.(type) {
	case string:
		return t == kind || t == "number" && kind == "integer"
	case []any:
		return slices.Contains(t, any(kind)) || slices.Contains(t, any("number")) && kind == "integer"
	}
	return true
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
