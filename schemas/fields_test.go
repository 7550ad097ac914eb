package schemas_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
	"ringline.io/ringline/schemas/check"
)

// commandFields returns, for each field of a command, its schema in every command and request that has it.
var commandFields = sync.OnceValue(func() map[string][]object {
	all := map[string][]object{}
	for _, v := range events.Verbs() {
		for _, folder := range []string{"command/", "request/"} {
			s, err := check.Schema(schemas.PathOf(folder + string(v)))
			if err != nil {
				continue // expire has no request
			}
			for name, p := range s["properties"].(object) {
				all[name] = append(all[name], p.(object))
			}
		}
	}
	return all
})

// derivedValues returns values to try for a field, valid and invalid, from the limits in its schemas.
func derivedValues(t *testing.T, name string) (values []string) {
	t.Helper()
	for _, s := range commandFields()[name] {
		switch s["type"] {
		case "integer":
			values = append(values, numbers(s)...)
		case "string":
			values = append(values, texts(s)...)
		case "boolean":
			values = append(values, `true`, `false`, `"true"`, `0`, `null`, `[]`, `{}`)
		default:
			t.Fatalf("%s: no values are derived for the type %v: list them in values", name, s["type"])
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

func numbers(s object) []string {
	var values []string
	edges := words(s["enum"])
	for _, limit := range []string{"minimum", "maximum"} {
		if n, ok := s[limit].(json.Number); ok {
			edges = append(edges, n.String())
		}
	}
	for _, edge := range append(edges, "0") {
		n := json.Number(edge)
		values = append(values, edge, edge+".0", edge+".5", plus(n, -1).String(), plus(n, 1).String())
	}
	return append(values, `1e0`, `2147483648`, `1e30`, `1e999`, `-1e999`, `"1"`, `true`, `null`, `[]`, `{}`)
}

func texts(s object) []string {
	var values []string
	if s["enum"] != nil {
		for _, w := range words(s["enum"]) {
			values = append(values, `"`+w+`"`, `"`+strings.ToUpper(w)+`"`)
		}
	} else {
		for _, most := range []int{1, events.MaxToken, events.MaxName, events.MaxUserName, events.MaxCustomData, limitOf(s, "maxLength", 1)} {
			values = append(values, quoted("x", most), quoted("x", most+1))
		}
	}
	return append(
		values, `""`, `"bogus"`, `"A-z_0"`, `"a b"`, `"a.b"`, `"é"`, `"\u0000"`, `"\u001f"`, `"\u007f"`, `"\u009f"`, `"\u00a0"`, `"\ud83d"`,
		`7`, `true`, `null`, `[]`, `{}`,
	)
}

// broken lists the limits that a value breaks, as its refusal must name them.
func broken(s object, value string) (limits []string) {
	for _, limit := range []string{"minimum", "maximum"} {
		if n, ok := s[limit].(json.Number); ok {
			limits = append(limits, n.String())
		}
	}
	var text string
	if value[0] != '"' || json.Unmarshal([]byte(value), &text) != nil {
		return limits
	}
	if n := utf8.RuneCountInString(text); n > limitOf(s, "maxLength", n) {
		limits = append(limits, fmt.Sprint(s["maxLength"]))
	}
	return append(limits, words(s["enum"])...)
}

// commandLimits returns the limits of each field of a command, as of a value that is set: other messages leave an unset value
// out. TestCommands compares the schemas of commands with package events. A field with different limits is left out.
var commandLimits = sync.OnceValue(func() map[string]limit {
	all := map[string]limit{}
	for name, list := range commandFields() {
		for _, s := range list {
			if s["const"] != nil {
				continue // a service can't send this verb
			}
			l := limitsWhenSet(s)
			if known, ok := all[name]; ok && !maps.Equal(known, l) {
				delete(all, name)
				break
			}
			all[name] = l
		}
	}
	return all
})

func limitsWhenSet(s object) limit {
	l := limit{}
	for _, word := range limitWords() {
		if s[word] != nil {
			l[word] = fmt.Sprint(s[word])
		}
	}
	if about, _ := s["description"].(string); strings.HasSuffix(about, "The empty string counts as unset.") {
		if pattern, _ := l["pattern"].(string); strings.Contains(pattern, "{0,") {
			l["pattern"] = strings.Replace(pattern, "{0,", "{1,", 1)
		} else {
			l["minLength"] = "1"
		}
	}
	return l
}
