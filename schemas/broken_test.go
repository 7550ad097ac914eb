package schemas_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
	"ringline.io/ringline/schemas/check"
)

// breakage is one way to break a schema.
type breakage struct {
	what string
	do   func(schema object)
}

// breakages lists ways to break the object at s, one member at a time. steps is the path to s from the root.
func breakages(s object, steps []string) []breakage {
	var list []breakage
	add := func(what string, change func(object)) {
		list = append(list, breakage{strings.Join(steps, ".") + ": " + what, func(root object) { change(walk(root, steps)) }})
	}
	for i, name := range words(s["required"]) {
		add("not required: "+name, func(o object) {
			o["required"] = slices.Delete(slices.Clone(o["required"].([]any)), i, i+1)
		})
	}
	for i, w := range words(s["enum"]) {
		add("not a word: "+w, func(o object) {
			for _, list := range []string{"enum", "enumDescriptions"} {
				o[list] = slices.Delete(slices.Clone(o[list].([]any)), i, i+1)
			}
		})
	}
	if s["enum"] != nil {
		add("one word more", func(o object) {
			more := any("bogus")
			if o["type"] == "integer" {
				more = json.Number("2")
			}
			o["enum"] = append(slices.Clone(o["enum"].([]any)), more)
			o["enumDescriptions"] = append(slices.Clone(o["enumDescriptions"].([]any)), "a word")
		})
	}
	for _, word := range []string{"maxLength", "minimum", "maximum"} {
		if n, ok := s[word].(json.Number); ok {
			add(word+" is 1 more", func(o object) { o[word] = plus(n, 1) })
			add(word+" is 1 less", func(o object) { o[word] = plus(n, -1) })
		}
	}
	for _, word := range []string{"pattern", "const", "minLength", "maxLength", "minimum", "maximum", "minItems", "uniqueItems"} {
		if s[word] != nil {
			add("no "+word, func(o object) { delete(o, word) })
		}
	}
	if s["type"] != nil {
		add("another type", func(o object) { o["type"] = "null" })
	}
	properties, _ := s["properties"].(object)
	for name := range properties {
		add("no "+name, func(o object) { delete(o["properties"].(object), name) })
		add(name+" is misspelt", func(o object) {
			p := o["properties"].(object)
			p[strings.ToUpper(name)] = p[name]
			delete(p, name)
		})
	}
	if properties != nil && s["type"] == "object" {
		add("one member more", func(o object) {
			o["properties"].(object)["bogus"] = object{"description": "something", "type": "string"}
		})
	}
	for _, down := range []string{"properties", "items", "additionalProperties"} {
		inner, _ := s[down].(object)
		if down != "properties" && inner["$ref"] == nil && inner != nil {
			list = append(list, breakages(inner, append(slices.Clone(steps), down))...)
			continue
		}
		for name, v := range inner {
			if o, ok := v.(object); ok && down == "properties" {
				list = append(list, breakages(o, append(slices.Clone(steps), down, name))...)
			}
		}
	}
	return list
}

func plus(n json.Number, d int64) json.Number {
	i, err := n.Int64()
	if err != nil {
		panic(err)
	}
	return json.Number(fmt.Sprint(i + d))
}

func walk(o object, steps []string) object {
	for _, s := range steps {
		o = o[s].(object)
	}
	return o
}

// TestBrokenTypes checks that TestSchemasMatchTheirTypes detects every breakage of a schema.
func TestBrokenTypes(t *testing.T) {
	t.Parallel()
	count := 0
	for name, typ := range goTypes() {
		path := schemas.PathOf(name)
		for _, b := range breakages(schema(t, path), nil) {
			s := schema(t, path)
			b.do(s)
			if len(newHolder().differences(name, s, typ)) == 0 && !harmless(name, b.what) {
				t.Errorf("%s: no check finds: %s", path, b.what)
			}
			count++
		}
		s := schema(t, path)
		delete(s, "description")
		if len(newHolder().differences(name, s, typ)) == 0 {
			t.Errorf("%s: no check finds the missing description", path)
		}
	}
	if count < 1000 {
		t.Errorf("%d breakages only", count)
	}
}

// harmless reports breakages that a Go type can't reveal. The reasons, custom data and remaining times of
// notifications and events are checked against the decisions instead (decisions_test.go).
func harmless(name, what string) bool {
	if strings.HasPrefix(name, "notification/") {
		return strings.HasSuffix(what, "properties.reason: not a word: "+what[strings.LastIndexByte(what, ' ')+1:]) ||
			slices.Contains([]string{
				": not required: user_id", ": not required: call", ": not required: reason", ": not required: ring_remaining_ms",
				": no custom_data", ": no ring_remaining_ms",
			}, what)
	}
	if slices.Contains([]string{"minItems", "uniqueItems"}, what[strings.LastIndexByte(what, ' ')+1:]) {
		return true
	}
	return strings.HasPrefix(name, "call/") && strings.HasSuffix(what, ": no custom_data") ||
		strings.HasPrefix(name, "reply/") && what == ": not required: calls"
}

// TestBrokenCommands checks that TestCommands detects every breakage of a command's schema.
func TestBrokenCommands(t *testing.T) {
	t.Parallel()
	for _, v := range events.Verbs() {
		all := probes(t, v)
		for _, path := range []string{"command/" + string(v) + "/v1.json", "request/" + string(v) + "/v1.json"} {
			if !slices.Contains(schemas.Paths(), path) {
				continue // expire has no request
			}
			for _, b := range append(breakages(schema(t, path), nil), senderBreakages(schema(t, path))...) {
				c := check.New(func(at string, s object) {
					if at == path {
						b.do(s)
					}
				})
				sees := func(p probe) bool { return p.disagrees(c, v, strings.HasPrefix(path, "request")) != nil }
				if !slices.ContainsFunc(likelyFirst(all, b.what), sees) {
					t.Errorf("%s: no check finds: %s", path, b.what)
				}
			}
		}
	}
}

// likelyFirst sorts the probes so that those of the broken field come first. The first probe that fails ends the
// search.
func likelyFirst(all []probe, what string) []probe {
	var likely, others []probe
	for _, p := range all {
		if strings.Contains(what, p.field) {
			likely = append(likely, p)
		} else {
			others = append(others, p)
		}
	}
	return append(likely, others...)
}

// senderBreakages break the rules for exactly one sender and for additional fields.
func senderBreakages(s object) []breakage {
	list := []breakage{{"open", func(o object) { delete(o, "additionalProperties") }}}
	if s["oneOf"] != nil {
		list = append(list,
			breakage{"any sender", func(o object) { delete(o, "oneOf") }},
			breakage{"both senders", func(o object) {
				o["anyOf"] = o["oneOf"]
				delete(o, "oneOf")
				delete(o["anyOf"].([]any)[0].(object), "properties")
			}},
			breakage{"no service", func(o object) { o["oneOf"] = o["oneOf"].([]any)[:1] }},
			breakage{"no user", func(o object) { o["oneOf"] = o["oneOf"].([]any)[1:] }},
		)
	}
	return list
}

// TestBrokenParty checks that the probes of invite detect every breakage of a callee's schema.
func TestBrokenParty(t *testing.T) {
	const path = "part/party/v1.json"
	for _, b := range breakages(schema(t, path), nil) {
		c := check.New(func(at string, s object) {
			if at == path {
				b.do(s)
			}
		})
		if !slices.ContainsFunc(probes(t, events.VerbAdd), func(p probe) bool { return p.disagrees(c, events.VerbAdd, false) != nil }) {
			t.Errorf("no check finds: %s", b.what)
		}
	}
}
