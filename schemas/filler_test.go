package schemas_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"ringline.io/ringline/events"
)

// filler sets every field of a message, each to another value that its schema allows.
type filler struct {
	t      *testing.T
	c      *coverage
	count  int
	filled map[string]bool // <type>.<field>
}

func newFiller(t *testing.T) *filler {
	t.Helper()
	return &filler{t: t, c: newCoverage(t), filled: map[string]bool{}}
}

// fill sets a value that the schema at where describes.
func (f *filler) fill(v reflect.Value, where string, s object) {
	where, s = f.c.target(where, s)
	f.count++
	switch typ := v.Type(); {
	case typ == reflect.TypeFor[events.Time]():
		v.SetInt(1795744292000 + int64(f.count))
	case typ == reflect.TypeFor[events.Party]() && s["type"] == "string": // a cancel names the user id only
		v.FieldByName("UserID").SetString(f.text(where, s))
	case typ.Kind() == reflect.Struct:
		f.members(v, where, s)
	case typ.Kind() == reflect.Pointer:
		v.Set(reflect.New(typ.Elem()))
		f.fill(v.Elem(), where, s)
	case typ.Kind() == reflect.Slice:
		size := min(2, limitOf(s, "maxItems", 2))
		v.Set(reflect.MakeSlice(typ, size, size))
		for i := range size {
			f.fill(v.Index(i), where+"[]", s["items"].(object))
		}
	case typ.Kind() == reflect.Map:
		f.entries(v, where, s)
	case typ.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(f.number(s))
	default:
		v.SetString(f.text(where, s)) // panics for a type that no message has today
	}
}

func (f *filler) members(v reflect.Value, where string, s object) {
	properties, _ := s["properties"].(object)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		p, described := properties[nameOf(field)].(object)
		if !described {
			continue
		}
		f.fill(v.Field(i), where+"."+nameOf(field), p)
		if !v.Field(i).IsZero() {
			f.filled[v.Type().Name()+"."+field.Name] = true
		}
	}
}

// nameOf returns the name of a field in JSON. The fields of a command have no tags.
func nameOf(field reflect.StructField) string {
	if tag, tagged := field.Tag.Lookup("json"); tagged {
		name, _, _ := strings.Cut(tag, ",")
		return name
	}
	return strings.ToLower(regexp.MustCompile("([a-z])([A-Z])").ReplaceAllString(field.Name, "${1}_$2"))
}

// entries sets two entries of a map. As text, 10 is sorted before 2.
func (f *filler) entries(v reflect.Value, where string, s object) {
	keys := []any{2, 10}
	if v.Type().Key().Kind() == reflect.String {
		keys = []any{"ann", "bob"}
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, key := range keys {
		value := reflect.New(v.Type().Elem()).Elem()
		f.fill(value, where+"{}", s["additionalProperties"].(object))
		v.SetMapIndex(reflect.ValueOf(key), value)
	}
}

// number returns a number within the limits.
func (f *filler) number(s object) int64 {
	n := int64(f.count)
	if s["enum"] != nil {
		return 1
	}
	if least, ok := s["minimum"].(json.Number); ok {
		i, _ := least.Int64()
		n = max(n, i)
	}
	if most, ok := s["maximum"].(json.Number); ok {
		i, _ := most.Int64()
		n = min(n, i)
	}
	return n
}

// text returns a word of the closed set, or the first text that the pattern and the limits allow.
func (f *filler) text(where string, s object) string {
	if c, ok := s["const"].(string); ok {
		return c
	}
	set := words(s["enum"])
	for i := range set {
		if w := set[(i+f.count)%len(set)]; w != "" {
			return w
		}
	}
	pattern, _ := s["pattern"].(string)
	allowed := regexp.MustCompile(pattern)
	for _, text := range []string{
		fmt.Sprintf("x%04d", f.count), fmt.Sprintf("x%04d-1", f.count), fmt.Sprintf("x%04d-1-0", f.count),
		fmt.Sprintf("https://x%04d.example", f.count), strings.Repeat("A", 43), f.publicKey(),
	} {
		if size := utf8.RuneCountInString(text); allowed.MatchString(text) && size >= limitOf(s, "minLength", 0) && size <= limitOf(s, "maxLength", size) {
			return text
		}
	}
	f.t.Fatalf("%s: no text matches %v", where, s)
	return ""
}

func (f *filler) publicKey() (key string) {
	if err := json.Unmarshal([]byte(publicKey(f.t)), &key); err != nil {
		f.t.Fatal(err)
	}
	return key
}

func limitOf(s object, name string, without int) int {
	n, ok := s[name].(json.Number)
	if !ok {
		return without
	}
	i, _ := n.Int64()
	return int(i)
}
