package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"ringline.io/ringline/events"
)

// obj is a JSON object whose members keep their order, so that a schema reads in the order in which it is written
// here and comes out the same each time.
type obj []member

type member struct {
	key   string
	value any
}

// ref is a reference to another schema by its name, as part/by. Where it is written it becomes the relative path
// from one file to the other.
type ref string

// MarshalJSON writes the members in their order.
func (o obj) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := events.Encode(m.key)
		if err != nil {
			return nil, err
		}
		value, err := events.Encode(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// with gives o with more members behind its own.
func (o obj) with(more ...member) obj { return append(append(obj{}, o...), more...) }

// from gives the tree with every ref written as the path from this file.
func from(path string, v any) any {
	switch v := v.(type) {
	case ref:
		return strings.Repeat("../", strings.Count(path, "/")) + schemaPath(string(v))
	case obj:
		out := make(obj, len(v))
		for i, m := range v {
			out[i] = member{m.key, from(path, m.value)}
		}
		return out
	case []obj:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = from(path, x)
		}
		return out
	}
	return v
}

// schemaPath is where the schema of this name is: the one rule of doc.go. A later version of one has it in its name.
func schemaPath(name string) string {
	if strings.HasSuffix(name, "/v2") {
		return name + ".json"
	}
	return name + "/v1.json"
}

// text writes the schema of this name as a file has it.
func text(name string, schema obj) ([]byte, error) {
	path := schemaPath(name)
	head := obj{
		{"$schema", "http://json-schema.org/draft-07/schema#"},
		{"$id", "https://ringline.io/schemas/" + path},
	}
	line, err := events.Encode(from(path, head.with(schema...)))
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// field is one member of an object that a schema describes.
type field struct {
	name     string
	required bool
	schema   obj
}

func need(name string, schema obj) field { return field{name, true, schema} }
func may(name string, schema obj) field  { return field{name, false, schema} }

// open is the schema of an object that others read: whoever reads it ignores what he does not know.
func open(title, about string, fields ...field) obj {
	return object(title, about, fields, true)
}

// strict is the schema of an object that Ringline reads: what it does not know is an error.
func strict(title, about string, fields ...field) obj {
	return object(title, about, fields, false)
}

func object(title, about string, fields []field, additional bool) obj {
	properties, required := obj{}, []string{}
	for _, f := range fields {
		properties = append(properties, member{f.name, f.schema})
		if f.required {
			required = append(required, f.name)
		}
	}
	o := obj{}
	if title != "" {
		o = append(o, member{"title", title})
	}
	o = o.with(member{"description", about}, member{"type", "object"})
	if len(required) > 0 {
		o = append(o, member{"required", required})
	}
	o = append(o, member{"properties", properties})
	if !additional {
		o = append(o, member{"additionalProperties", false})
	}
	return o
}

// is refers to another schema and says what it is here. (What stands beside a $ref is ignored in draft-07.)
func is(name, about string) obj {
	return obj{{"description", about}, {"allOf", []obj{{{"$ref", ref(name)}}}}}
}

// list is an array of what items describes.
func list(items obj, about string, more ...member) obj {
	return obj{{"description", about}, {"type", "array"}, {"items", items}}.with(more...)
}

// when adds a condition: where test holds, then has to hold too.
func when(test, then obj) obj { return obj{{"if", test}, {"then", then}} }

func requires(names ...string) obj { return obj{{"required", names}} }

// has is the test whether a member is there with one of these values.
func has[T ~string](name string, values ...T) obj {
	return obj{{"required", []string{name}}, {"properties", obj{{name, obj{{"enum", values}}}}}}
}
