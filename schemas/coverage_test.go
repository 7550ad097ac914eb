package schemas_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/schemas"
	"ringline.io/ringline/schemas/check"
)

// coverage records which members and words of the schemas occurred in messages.
type coverage struct {
	t    *testing.T
	c    *check.Checker // closed: undescribed members are errors
	tree map[string]object
	seen map[string]bool // <schema>.<member> with "+" if it was present, "-" if it was absent, or "=<word>"
}

func newCoverage(t *testing.T) *coverage {
	t.Helper()
	return &coverage{t: t, c: check.New(check.Closed), tree: map[string]object{}, seen: map[string]bool{}}
}

// message validates a message against the schema of this name and records its members.
func (c *coverage) message(name string, text []byte) {
	c.t.Helper()
	if err := c.c.Valid(schemas.PathOf(name), text); err != nil {
		c.t.Fatalf("%s: %v\n%s", name, err, text)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		c.t.Fatal(err)
	}
	c.note(name, c.schema(name), v)
}

func (c *coverage) schema(name string) object {
	if c.tree[name] == nil {
		c.tree[name] = schema(c.t, schemas.PathOf(name))
	}
	return c.tree[name]
}

func (c *coverage) note(where string, s object, v any) {
	where, s = c.target(where, s)
	for _, w := range words(s["enum"]) {
		if fmt.Sprint(v) == w {
			c.seen[where+"="+w] = true
		}
	}
	switch v := v.(type) {
	case []any:
		items, _ := s["items"].(object)
		for _, x := range v {
			c.note(where+"[]", items, x)
		}
	case object:
		properties, _ := s["properties"].(object)
		for name, p := range properties {
			if x, there := v[name]; there {
				c.seen[where+"."+name+"+"] = true
				c.note(where+"."+name, p.(object), x)
			} else {
				c.seen[where+"."+name+"-"] = true
			}
		}
	}
}

// target resolves a reference to another schema.
func (c *coverage) target(where string, s object) (string, object) {
	to := s
	if all, _ := s["allOf"].([]any); len(all) == 1 {
		to, _ = all[0].(object)
	}
	if at, ok := to["$ref"].(string); ok {
		where = schemas.NameOf(strings.ReplaceAll(at, "../", ""))
		s = c.schema(where)
	}
	return where, s
}

// missing lists what a schema describes and no message had: members that never occurred, optional members that were
// never absent, and words.
func (c *coverage) missing(name string) []string {
	var list []string
	var look func(where string, s object)
	look = func(where string, s object) {
		if to, _ := c.target(where, s); to != where {
			return
		}
		for _, w := range words(s["enum"]) {
			if !c.seen[where+"="+w] {
				list = append(list, where+"="+w)
			}
		}
		if items, ok := s["items"].(object); ok {
			look(where+"[]", items)
		}
		properties, _ := s["properties"].(object)
		for member, p := range properties {
			at := where + "." + member
			if !c.seen[at+"+"] {
				list = append(list, at+"+")
			}
			if !c.seen[at+"-"] && !slices.Contains(words(s["required"]), member) {
				list = append(list, at+"-")
			}
			look(at, p.(object))
		}
	}
	look(name, c.schema(name))
	slices.Sort(list)
	return list
}
