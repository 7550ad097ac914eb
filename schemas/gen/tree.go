package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"ringline.io/ringline/events"
)

// obj is a JSON object that keeps the order of its members, so that a schema has the order of the source and the
// output is deterministic.
type obj []member

type member struct {
	key   string
	value any
}

// ref is a reference to another schema by name, such as part/by. The output contains the relative path between the
// files.
type ref string

// MarshalJSON writes the members in order.
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

// with returns o with more members appended.
func (o obj) with(more ...member) obj { return append(append(obj{}, o...), more...) }

// from returns the tree with every ref replaced by its path relative to this file.
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

// schemaPath returns the path of the schema with this name, by the rule in package schemas' doc.go. The name of a
// later version contains the version.
func schemaPath(name string) string {
	if strings.HasSuffix(name, "/v2") {
		return name + ".json"
	}
	return name + "/v1.json"
}

// text returns the file content of a schema.
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

// field is a member of an object that a schema describes.
type field struct {
	name     string
	required bool
	schema   obj
}

func need(name string, schema obj) field { return field{name, true, schema} }
func may(name string, schema obj) field  { return field{name, false, schema} }

// open is the schema of an object that others read. Readers ignore unknown members.
func open(title, about string, fields ...field) obj {
	return object(title, about, fields, true)
}

// strict is the schema of an object that Ringline reads. Unknown members are errors.
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

// is refers to another schema and adds a description. It uses allOf, because draft-07 ignores members next to a $ref.
func is(name, about string) obj {
	return obj{{"description", about}, {"allOf", []obj{{{"$ref", ref(name)}}}}}
}

// list is the schema of an array of items.
func list(items obj, about string, more ...member) obj {
	return obj{{"description", about}, {"type", "array"}, {"items", items}}.with(more...)
}

// when adds a condition: if test matches, then must match too.
func when(test, then obj) obj { return obj{{"if", test}, {"then", then}} }

func requires(names ...string) obj { return obj{{"required", names}} }

// has matches if a member is present with one of these values.
func has[T ~string](name string, values ...T) obj {
	return obj{{"required", []string{name}}, {"properties", obj{{name, obj{{"enum", values}}}}}}
}
