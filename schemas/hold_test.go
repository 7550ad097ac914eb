package schemas_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
)

type object = map[string]any

// holder compares schemas with Go types.
type holder struct {
	sets     map[reflect.Type][]string
	narrower map[string][]string
	typ      goType
	must     bool // the current member is required
	wrong    []string
}

func newHolder() *holder {
	return &holder{sets: closedSets(), narrower: narrower()}
}

// differences lists the differences between a schema and its type: names, required members, types, closed sets,
// limits, and whether other members are allowed. Everything must have a description.
func (h *holder) differences(name string, s object, typ goType) []string {
	h.typ, h.wrong = typ, nil
	h.node(name, s, reflect.TypeOf(typ.value))
	return h.wrong
}

func (h *holder) add(format string, args ...any) {
	h.wrong = append(h.wrong, fmt.Sprintf(format, args...))
}

// node compares the schema at where with a type.
func (h *holder) node(where string, s object, t reflect.Type) {
	if about, _ := s["description"].(string); len(about) < 3 {
		h.add("%s: no description", where)
	}
	switch {
	case t == reflect.TypeFor[events.Time]():
		h.is(where, s, "string")
		if s["format"] != "date-time" || s["pattern"] != `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$` {
			h.add("%s: no time", where)
		}
		return
	case t == reflect.TypeFor[events.CallType]():
		h.is(where, s, "integer")
		h.words(where, s, []string{"0", "1"})
		return
	}
	kinds := map[reflect.Kind]func(){
		reflect.String: func() { h.is(where, s, "string"); h.text(where, s, t) },
		reflect.Int:    func() { h.is(where, s, "integer"); h.limits(where, s) },
		reflect.Int64:  func() { h.is(where, s, "integer"); h.limits(where, s) },
		reflect.Bool:   func() { h.is(where, s, "boolean") },
		reflect.Slice:  func() { h.is(where, s, "array"); h.inner(where+"[]", s["items"], t.Elem()) },
		reflect.Map:    func() { h.is(where, s, "object"); h.inner(where+"{}", s["additionalProperties"], t.Elem()) },
		reflect.Struct: func() { h.is(where, s, "object"); h.members(where, s, t) },
	}
	if kinds[t.Kind()] == nil {
		h.add("%s: a %v", where, t)
		return
	}
	kinds[t.Kind()]()
}

// inner compares a nested schema. A reference is compared in the referenced schema.
func (h *holder) inner(where string, v any, t reflect.Type) {
	s, ok := v.(object)
	if !ok {
		h.add("%s: no schema", where)
		return
	}
	to := s
	if all, _ := s["allOf"].([]any); len(all) == 1 {
		to, _ = all[0].(object)
		if about, _ := s["description"].(string); about == "" {
			h.add("%s: no description", where)
		}
	}
	at, refers := to["$ref"].(string)
	if !refers {
		h.node(where, s, t)
		return
	}
	name := schemas.NameOf(strings.ReplaceAll(at, "../", ""))
	if want, ok := goTypes()[name]; !ok || reflect.TypeOf(want.value) != t {
		h.add("%s: refers to %s, which is no %v", where, at, t)
	}
	if up := strings.Count(at, "../"); up != strings.Count(schemas.PathOf(strings.SplitN(where, ".", 2)[0]), "/") {
		h.add("%s: %s leads elsewhere", where, at)
	}
}

// members compares the members of an object with the fields of a struct.
func (h *holder) members(where string, s object, t reflect.Type) {
	properties, _ := s["properties"].(object)
	required := words(s["required"])
	inType := map[string]bool{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		inType[name] = true
		p, described := properties[name]
		if !described {
			if !slices.Contains(h.typ.absent, name) {
				h.add("%s.%s: not in the schema", where, name)
			}
			continue
		}
		mayLack := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		h.must = slices.Contains(required, name)
		switch {
		case h.must && mayLack && !slices.Contains(h.typ.optional, name):
			h.add("%s.%s: required, but may be left out", where, name)
		case !h.must && !mayLack && !slices.Contains(h.typ.onlyOK, name):
			h.add("%s.%s: not required, but is always there", where, name)
		}
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		h.inner(where+"."+name, p, inner)
	}
	for _, name := range h.typ.extra {
		if properties[name] == nil {
			h.add("%s.%s: not in the schema", where, name)
		}
	}
	for name := range properties {
		if !inType[name] && !slices.Contains(h.typ.extra, name) {
			h.add("%s.%s: not in the type", where, name)
		}
	}
	for _, name := range required {
		if properties[name] == nil {
			h.add("%s.%s: required, but not described", where, name)
		}
	}
	closed := s["additionalProperties"] == false
	if _, said := s["additionalProperties"]; closed != h.typ.strict || said && !closed {
		h.add("%s: additionalProperties is %v", where, s["additionalProperties"])
	}
}

func (h *holder) is(where string, s object, want string) {
	if s["type"] != want {
		h.add("%s: type %v, want %s", where, s["type"], want)
	}
}

// text compares the closed set of a string, or its limits if it has no set.
func (h *holder) text(where string, s object, t reflect.Type) {
	if set, ok := h.narrower[where]; ok {
		h.words(where, s, set)
		return
	}
	if set, ok := h.sets[t]; ok {
		h.words(where, s, set)
		return
	}
	if strings.HasPrefix(where, "notification/") && strings.HasSuffix(where, ".reason") {
		h.reasons(where, s)
		return
	}
	if s["enum"] != nil || s["const"] != nil {
		h.add("%s: a closed set that the type has not", where)
	}
	h.limits(where, s)
}

// words compares a closed set including its order. Each word must have a meaning.
func (h *holder) words(where string, s object, want []string) {
	got := words(s["enum"])
	if c, ok := s["const"]; ok {
		got = append(got, fmt.Sprint(c))
	} else if len(words(s["enumDescriptions"])) != len(got) || slices.Contains(words(s["enumDescriptions"]), "") {
		h.add("%s: not every word has a meaning", where)
	}
	if !slices.Equal(got, want) {
		h.add("%s: the words %v, want %v", where, got, want)
	}
}

// reasons checks that the words are reasons of a callee or end reasons of a call. decisions_test.go checks which of them
// occur.
func (h *holder) reasons(where string, s object) {
	got := words(s["enum"])
	if len(got) == 0 || len(got) != len(words(s["enumDescriptions"])) {
		h.add("%s: no reasons, or without meanings", where)
	}
	for _, w := range got {
		if !slices.Contains(events.Reasons(), events.Reason(w)) && !slices.Contains(events.EndReasons(), events.EndReason(w)) {
			h.add("%s: %q is no reason", where, w)
		}
	}
}

func words(v any) []string {
	var list []string
	all, _ := v.([]any)
	for _, w := range all {
		list = append(list, fmt.Sprint(w))
	}
	return list
}
