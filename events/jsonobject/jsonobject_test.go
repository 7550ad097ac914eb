package jsonobject_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events/jsonobject"
)

func TestRead(t *testing.T) {
	const text = ` {"b": 1.0 ,"a":{"x":[1, 2]},"b":"\ud800","\u0061\n":null} `
	members, err := jsonobject.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, m := range members {
		b = append(m.Append(b), '|')
	}
	if want := `"b":1.0|"a":{"x":[1, 2]}|"b":"\ud800"|"a\n":null|`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	if members, err := jsonobject.Read([]byte("{}")); err != nil || len(members) != 0 {
		t.Errorf("an empty object: %v, %v", members, err)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]error{
		``: nil, ` `: nil, `hello`: nil, `{`: nil, `{"a"`: nil, `{"a":1,}`: nil, `{"a" 1}`: nil, `{"a":1 "b":2}`: nil, `{"a":01}`: nil,
		`[`: nil, `{1:2}`: nil, `{"a":1]`: nil, `{"a":"\x41"}`: nil, "{\"a\":\"\t\"}": nil,
		`[]`: jsonobject.ErrNoObject, `null`: jsonobject.ErrNoObject, `"a"`: jsonobject.ErrNoObject, ` 1`: jsonobject.ErrNoObject,
		`{}{}`: jsonobject.ErrTrailing, `{"a":1}}`: jsonobject.ErrTrailing, "{}\x00": jsonobject.ErrTrailing, `{} x`: jsonobject.ErrTrailing,
	} {
		members, err := jsonobject.Read([]byte(text))
		syntax, malformed := errors.AsType[*jsontext.SyntacticError](err)
		if members != nil || want == nil && (!malformed || int(syntax.ByteOffset) > len(text)) || want != nil && !errors.Is(err, want) {
			t.Errorf("%q: %v, %v, want %v", text, members, err, want)
		}
	}
}

// FuzzRead checks that Read accepts the same objects as encoding/json, with the same values.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{}`, ` { "a" : 1 , "b":[1,{"c":"]"}] , "command_id" : "\"" } `, `{"a":tru}`, `{"a":1,}`, `{"a":"` + "\x01" + `"}`, `{"a\u0062":1}`,
		`{"a":1}x`, `{"a":[}]}`, `{,}`, `{"a":-}`, `{"a":1e400}`, `{"a":"\x"}`, `[1]`, `{"\ud800":"\udfff"}`, "{\"\xff\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return // encoding/json replaces invalid bytes in names
		}
		var want map[string]json.RawMessage
		bad := json.Unmarshal(text, &want)
		members, err := jsonobject.Read(text)
		if (err == nil) != (bad == nil && want != nil) {
			t.Fatalf("%q: %v, want %v", text, err, bad)
		}
		last := map[string]jsontext.Value{}
		for _, m := range members {
			last[m.Name] = m.Value
		}
		if err == nil && len(last) != len(want) {
			t.Fatalf("%q: %v, want %v", text, last, want)
		}
		for name, value := range last {
			if !bytes.Equal(value, want[name]) {
				t.Fatalf("%q: %s is %s, want %s", text, name, value, want[name])
			}
		}
	})
}
