package events

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"reflect"
	"strings"
	"testing"
)

// randomly sets every field recursively; pick chooses the values.
func randomly(v reflect.Value, pick func() int, texts []string) {
	switch v.Kind() { //nolint:exhaustive // there are no others
	case reflect.String:
		v.SetString(texts[pick()%len(texts)])
	case reflect.Int, reflect.Int64:
		if v.Type() == reflect.TypeFor[Time]() {
			v.SetInt([]int64{0, 1, 1795744292244, 1795744292200}[pick()%4])
			return
		}
		v.SetInt([]int64{0, 1, 7, 123456}[pick()%4])
	case reflect.Bool:
		v.SetBool(pick()%2 == 0)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				randomly(v.Field(i), pick, texts)
			}
		}
	case reflect.Slice:
		if n := pick() % 4; n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range n - 1 {
				randomly(v.Index(i), pick, texts)
			}
		}
	case reflect.Map:
		if n := pick() % 4; n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n - 1 {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				randomly(key, pick, texts)
				randomly(value, pick, texts)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Pointer:
		if pick()%2 == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			randomly(v.Elem(), pick, texts)
		}
	default:
		panic(v.Type().String())
	}
}

func textsOf() []string {
	return []string{
		"", "a", "ann-1", "c1", `{"k":"v"}`, "a\\b", "né", "\u2028\u2029", "<&>", "tab\tline\n\x00\x1f", "\x7f", "日本語 👍", "half \xff of it",
		strings.Repeat("x", 300), `\u2028`,
	}
}

// The codec encodes and decodes each of its types like encoding/json.
func TestCodecIsJSON(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for _, typ := range []reflect.Type{
		reflect.TypeFor[By](), reflect.TypeFor[Caller](), reflect.TypeFor[Callee](), reflect.TypeFor[Call](), reflect.TypeFor[Notification](),
		reflect.TypeFor[Error](), reflect.TypeFor[Answer](), reflect.TypeFor[Change](), reflect.TypeFor[Remembered](),
		reflect.TypeFor[Transition](), reflect.TypeFor[envelope](), reflect.TypeFor[Entry](), reflect.TypeFor[Party](),
	} {
		read := 0
		for range 2000 {
			x := reflect.New(typ)
			randomly(x.Elem(), random.Int, textsOf())
			want, err := encodeSlowly(x.Interface())
			if err != nil {
				t.Fatal(err)
			}
			coder, ok := reflect.TypeAssert[coded](x)
			if !ok {
				t.Fatalf("%v has no fields", typ)
			}
			if got := encode(coder, 0); !bytes.Equal(got, want) {
				t.Fatalf("%v is written as\n%s\nwant\n%s", typ, got, want)
			}
			if readAlike(t, typ, want) {
				read++
			}
		}
		if read == 0 {
			t.Errorf("%v was never read", typ)
		}
	}
}

// readAlike reports whether the codec decodes the text. It fails the test if encoding/json decodes the text
// differently.
func readAlike(t *testing.T, typ reflect.Type, text []byte) bool {
	t.Helper()
	fast, slow := reflect.New(typ), reflect.New(typ)
	coder, _ := reflect.TypeAssert[coded](fast)
	if !decode(text, coder) {
		return false
	}
	if err := json.Unmarshal(text, slow.Interface()); err != nil {
		t.Fatalf("%s is no JSON, and is read: %v", text, err)
	}
	if !reflect.DeepEqual(fast.Interface(), slow.Interface()) {
		t.Fatalf("%s\nis read as\n%+v\nwant\n%+v", text, fast.Elem(), slow.Elem())
	}
	return true
}

// exampleEnvelope returns a transition as published on its subject.
func exampleEnvelope(tb testing.TB) []byte {
	tb.Helper()
	at := Time(1795744292244)
	data, err := Transition{
		CommandID: "k1", Event: EventInvited, Seq: 1, By: By{Kind: ByUser, UserID: "ann"},
		Changes: []Change{{UserID: "bob", Attempt: 1, To: StateInvited}},
		Call: Call{
			CallID: "c1", App: "demo", RoomID: "c1", State: CallStateRinging, Seq: 1, CreatedAt: at, ExpiresAt: at,
			Caller:     Caller{UserID: "ann", State: StateIn, At: at},
			Callees:    []Callee{{UserID: "bob", Attempt: 1, InvitedBy: "ann", State: StateInvited, CustomSeq: 1, At: at}},
			CustomData: `{"k":"é"}`, Custom: map[int]string{2: "x", 10: "y"},
		},
		Commands: []Remembered{{ID: "k1", Verb: VerbInvite, UserID: "ann", Seq: 1}},
	}.Encode(at)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// WrittenLen returns the size that the codec writes.
func TestWrittenLen(t *testing.T) {
	for _, s := range append(textsOf(), "\"\\\b\f\n\r\t", "\ufffd", "\ud7ff\U0010ffff", strings.Repeat("\x00", 9)) {
		if got, want := WrittenLen(s), len(appendText(nil, s))-2; got != want {
			t.Errorf("%q takes %d bytes, want %d", s, got, want)
		}
	}
}

// The codec leaves input in another form to encoding/json. Such input is not an error by itself.
func TestCodecIsLost(t *testing.T) {
	plain := string(exampleEnvelope(t))
	for _, change := range [][2]string{
		{`"specversion":"1.0",`, ``}, // a missing field is zero
		{`{"specversion"`, ` { "specversion" `},
	} {
		text := strings.Replace(plain, change[0], change[1], 1)
		if text == plain || !readAlike(t, reflect.TypeFor[envelope](), []byte(text)) {
			t.Errorf("%s: is not read", text)
		}
	}
	for _, change := range [][2]string{
		{`{"specversion":"1.0",`, `{"colour":"red","specversion":"1.0",`},
		{`"specversion":"1.0",`, `"specversion":"1.0","specversion":"2.0",`},
		{`"specversion":"1.0"`, `"specversion":null`},
		{`"specversion":"1.0"`, `"Specversion":"1.0"`},
		{`"seq":`, `"seq":0`},
		{`"seq":`, `"seq":-`},
		{`"seq":`, `"seq":1234567890123456`},
		{`"seq":1`, `"seq":1.0`},
		{`"callees":[`, `"callees":[null,`},
		{`"callees":[`, `"callees":[,`},
		{`"custom":{`, `"custom":{,`},
		{`"custom":{"10"`, `"custom":{"010"`},
		{`"custom":{"10"`, `"custom":{"x"`},
		{`"custom":{"10":"y"`, `"custom":{"10":1`},
		{`"data":{`, `"data":[{`},
		{`"1.0"`, "\"1\n\""},
		{`"1.0"`, `"1.0`},
		{`T`, ` `},
	} {
		text := strings.Replace(plain, change[0], change[1], 1)
		var e envelope
		if text == plain || decode([]byte(text), &e) {
			t.Errorf("%s: is read", text)
		}
	}
	for cut := range len(plain) {
		var e envelope
		if decode([]byte(plain[:cut]), &e) {
			t.Errorf("%s: is read", plain[:cut])
		}
	}
}

// FuzzCodec checks that the codec decodes input like encoding/json.
func FuzzCodec(f *testing.F) {
	f.Add(exampleEnvelope(f))
	f.Add([]byte(`{"command_id":"k1","ok":false,"error":{"code":"internal","message":""}}`))
	f.Add([]byte(`{"event":"call_ended","id":"","call_id":"","seq":1,"by":{"kind":""},"call":{"callees":[]},"server_time":"2026-11-24T10:00:00.000Z","ring_remaining_ms":1}`))
	f.Add([]byte(`{"specversion":"\u0041","id":"\ud800","data":{"seq":1,"changes":[],"call":{"caller":{},"callees":[{"at":"2026-11-24T10:00:00+01:00"}]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		readAlike(t, reflect.TypeFor[envelope](), text)
		readAlike(t, reflect.TypeFor[Entry](), text)
		readAlike(t, reflect.TypeFor[Answer](), text)
		readAlike(t, reflect.TypeFor[Notification](), text)
	})
}

// FuzzSplit checks that split splits an object like a decoder.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{
		`{}`, ` { "a" : 1 , "b":[1,{"c":"]"}] , "command_id" : "\"" } `, `{"a":tru}`, `{"a":1,}`, `{"a" 1}`, `{"a":"` + "\x01" + `"}`, `{"a\u0062":1}`,
		`{"a":1}x`, `{"a":[}]}`, `{,}`, `{"a":01}`, `{"a":-}`, `{"a":1e400}`, `{"a":"\x"}`, `[1, "a" ,{}]`, `[,]`, `[1,]`, `[1 2]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if members, ok := split(text); ok {
			want, err := decodeObject(text)
			if err != nil || len(members) != len(want) {
				t.Fatalf("%q: %v, %v", text, members, err)
			}
			for i, m := range members {
				if m.name != strings.ToValidUTF8(m.name, "\ufffd") {
					return // no command has such a field
				}
				if m.name != want[i].name || !bytes.Equal(m.raw, want[i].raw) {
					t.Fatalf("%q: %q %s, want %q %s", text, m.name, m.raw, want[i].name, want[i].raw)
				}
			}
		}
		if items, ok := splitItems(text); ok {
			var want []json.RawMessage
			if err := json.Unmarshal(text, &want); err != nil || len(items) != len(want) {
				t.Fatalf("%q: %v, %v", text, items, err)
			}
			for i, item := range items {
				if !bytes.Equal(item, want[i]) {
					t.Fatalf("%q: %s, want %s", text, item, want[i])
				}
			}
		}
	})
}
