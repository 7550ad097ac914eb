package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"ringline.io/ringline/events"
)

// checkRefusal checks for invalid_argument and a message that contains all names. Answers and headers carry the
// message: it must be one short line of UTF-8, whatever the input.
func checkRefusal(t *testing.T, err error, names ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("got no error, want one that names %q", names)
		return
	}
	if e, ok := errors.AsType[*events.Error](err); !ok || e.Code != events.CodeInvalidArgument {
		t.Errorf("got %v, want code invalid_argument", err)
	}
	m := events.Message(err)
	if m == "" || len(m) > 512 || !utf8.ValidString(m) || strings.ContainsFunc(m, unicode.IsControl) {
		t.Errorf("the message is no line of 1 to 512 bytes of UTF-8 without control characters: %d bytes, %.600q", len(m), m)
	}
	for _, name := range names {
		if !strings.Contains(m, name) {
			t.Errorf("the message does not name %q: %.600s", name, m)
		}
	}
}

// badInput is a malformed body with the field and limit that its error must name. With noID the command id is
// unreadable or invalid.
type badInput struct {
	name         string
	verb         events.Verb
	body         string
	field, limit string
	noID         bool
}

// quote returns plain text as a JSON string.
func quote(s string) string { return `"` + s + `"` }

// badBodies are not JSON objects, or are too big.
var badBodies = []badInput{
	{"empty", events.VerbRing, ``, "body", "JSON", true},
	{"white space", events.VerbRing, " \n", "body", "JSON", true},
	{"text", events.VerbRing, `hello`, "body", "JSON", true},
	{"null", events.VerbRing, `null`, "body", "JSON object, got null", true},
	{"array", events.VerbRing, `[` + userBody + `]`, "body", "JSON object, got an array", true},
	{"string", events.VerbRing, `"bob"`, "body", "JSON object, got a string", true},
	{"number", events.VerbRing, `1`, "body", "JSON object, got a number", true},
	{"number beyond float64", events.VerbRing, `1` + strings.Repeat("0", 415), "body", "JSON object, got a number", true},
	{"number beyond float64 for a name", events.VerbRing, `{1` + strings.Repeat("0", 415), "body", "JSON", true},
	{"boolean", events.VerbRing, ` true`, "body", "JSON object, got a boolean", true},
	{"truncated in a string", events.VerbRing, `{"command_id":"k1`, "body", "JSON", true},
	{"truncated after a value", events.VerbRing, `{"command_id":"k1"`, "body", "JSON", true},
	{"truncated after a name", events.VerbRing, `{"command_id"`, "body", "JSON", true},
	{"truncated after a comma", events.VerbRing, `{"command_id":"k1",`, "body", "JSON", true},
	{"two objects", events.VerbRing, userBody + userBody, "body", "nothing after it", true},
	{"garbage after it", events.VerbRing, userBody + "\x00", "body", "nothing after it", true},
	{"a brace too many", events.VerbRing, userBody + "}", "body", "nothing after it", true},
	{"a bracket for a brace", events.VerbRing, `{"command_id":"k1","user_id":"bob"]`, "body", "JSON", true},
	{"comma at the end", events.VerbRing, `{"command_id":"k1","user_id":"bob",}`, "body", "JSON", true},
	{"no comma", events.VerbRing, `{"command_id":"k1" "user_id":"bob"}`, "body", "JSON", true},
	{"no colon", events.VerbRing, `{"command_id" "k1"}`, "body", "JSON", true},
	{"single quotes", events.VerbRing, `{'command_id':'k1'}`, "body", "JSON", true},
	{"name without quotes", events.VerbRing, `{command_id:"k1"}`, "body", "JSON", true},
	{"comment", events.VerbRing, `{"command_id":"k1",/**/"user_id":"bob"}`, "body", "JSON", true},
	{"bare control character", events.VerbRing, "{\"command_id\":\"k1\",\"user_id\":\"b\tb\"}", "body", "JSON", true},
	{"bad escape", events.VerbRing, `{"command_id":"k1","user_id":"\x41"}`, "body", "JSON", true},
	{"NaN", events.VerbRing, with(userBody, "attempt", "NaN"), "body", "JSON", true},
	{"leading zero", events.VerbRing, with(userBody, "attempt", "01"), "body", "JSON", true},
	{"byte order mark", events.VerbRing, "\ufeff" + userBody, "body", "JSON", true},
	{"UTF-16", events.VerbRing, "{\x00}\x00", "body", "JSON", true},
	{"deep", events.VerbRing, `{"command_id":` + strings.Repeat("[", 100_000), "body", "JSON", true},
	{"invalid UTF-8 in a value", events.VerbEnd, with(userBody, "custom_data", "\"\xff\""), "body", "UTF-8", true},
	{"invalid UTF-8 in a name", events.VerbEnd, "{\"command_id\":\"k1\",\"\xc3\":1}", "body", "UTF-8", true},
	{"surrogate as UTF-8", events.VerbEnd, with(userBody, "user_id", "\"\xed\xa0\x80\""), "body", "UTF-8", true},
	{"300 KB", events.VerbEnd, with(userBody, "custom_data", quote(strings.Repeat("a", 300_000))), "body", "262144", true},
	{"one byte too many", events.VerbEnd, userBody + strings.Repeat(" ", events.MaxCommand+1-len(userBody)), "body", "262144", true},
}

var (
	name128 = strings.Repeat("é", 64)
	x64     = strings.Repeat("x", 64)
	y256    = strings.Repeat("é", 128)
)

// badFields are objects in which one field breaks its rule.
var badFields = []badInput{
	{"case-different name", events.VerbRing, with(userBody, "User_ID", `"bob"`), `"User_ID": unknown field`, "user_id", false},
	{"upper-case name", events.VerbRing, with(userBody, "COMMAND_ID", `"k2"`), `"COMMAND_ID": unknown field`, "command_id", false},
	{"empty name", events.VerbRing, with(userBody, "", "1"), `"": unknown field`, "command_id", false},
	{"long name", events.VerbRing, with(userBody, strings.Repeat("n", 200_000), `1`), "unknown field", "200000 bytes", false},
	{"hostile name", events.VerbRing, `{"command_id":"k1","\r\nX-Header: 1\u0000\u009f":1}`, "unknown field", "command_id", false},
	{"call id", events.VerbRing, with(userBody, "call_id", `"c2"`), `"call_id": unknown field`, "command_id", false},
	{"app", events.VerbRing, with(userBody, "app", `"demo"`), `"app": unknown field`, "command_id", false},
	{"twice", events.VerbRing, `{"command_id":"k1","user_id":"bob","user_id":"bob"}`, "user_id", "twice", false},
	{"twice, with an escape", events.VerbRing, `{"command_id":"k1","user_id":"bob","user\u005fid":"eve"}`, "user_id", "twice", false},
	{"command id twice", events.VerbRing, `{"command_id":"k1","user_id":"bob","command_id":"k2"}`, "command_id", "twice", false},
	{"callee's name twice", events.VerbAdd, with(addBody, "callees", `[{"user_id":"bob","user_id":"bob"}]`), "callees[0].user_id", "twice", false},

	{"no command id", events.VerbRing, `{"user_id":"bob"}`, "command_id", "64", true},
	{"empty command id", events.VerbRing, `{"command_id":"","user_id":"bob"}`, "command_id", "64", true},
	{"long command id", events.VerbRing, with(userBody, "command_id", quote(x64+"x")), "command_id", "64", true},
	{"very long command id", events.VerbRing, with(userBody, "command_id", quote(strings.Repeat("x", 200_000))), "command_id", "64", true},
	{"command id with a space", events.VerbRing, with(userBody, "command_id", `"a b"`), "command_id", "64", true},
	{"command id with a dot", events.VerbRing, with(userBody, "command_id", `"a.b"`), "command_id", "64", true},
	{"bad command id before an unknown field", events.VerbRing, `{"command_id":"a b","x":1}`, "command_id", "64", true},
	{"bad command id after an unknown field", events.VerbRing, `{"x":1,"command_id":"a b"}`, `"x": unknown field`, "command_id", true},

	{"no sender", events.VerbEnd, `{"command_id":"k1"}`, "user_id", "service", false},
	{"no user", events.VerbRing, `{"command_id":"k1"}`, "user_id", "128", false},
	{"empty user", events.VerbRing, `{"command_id":"k1","user_id":""}`, "user_id", "128", false},
	{"user and service", events.VerbEnd, with(userBody, "service", `"desk"`), "user_id and service", "exactly one", false},
	{"user and service", events.VerbRing, with(userBody, "service", `"desk"`), "user_id and service", "exactly one", false},
	{"device of a service", events.VerbEnd, with(expireBody, "device_id", `"d"`), "device_id", "user_id", false},
	{"long user", events.VerbRing, with(userBody, "user_id", quote(name128+"a")), "user_id", "128", false},
	{"user with a control character", events.VerbRing, with(userBody, "user_id", `"a\u0000"`), "user_id", "128", false},
	{"user with C1", events.VerbRing, with(userBody, "user_id", `"a\u0085"`), "user_id", "128", false},
	{"long device", events.VerbRing, with(userBody, "device_id", quote(name128+"a")), "device_id", "128", false},
	{"device with a control character", events.VerbRing, with(userBody, "device_id", `"\u007f"`), "device_id", "128", false},
	{"long service", events.VerbEnd, with(expireBody, "service", quote(x64+"x")), "service", "64", false},
	{"service with a space", events.VerbEnd, with(expireBody, "service", `"a b"`), "service", "64", false},
	{"long room", events.VerbInvite, with(inviteBody, "room_id", quote(name128+"a")), "room_id", "128", false},
	{"room with a control character", events.VerbInvite, with(inviteBody, "room_id", `"a\nb"`), "room_id", "128", false},
	{"half a surrogate pair", events.VerbRing, with(userBody, "user_id", `"\ud800"`), "user_id", "surrogate", false},
	{"the other half", events.VerbRing, with(userBody, "user_id", `"a\udfff"`), "user_id", "surrogate", false},
	{"halves in the wrong order", events.VerbRing, with(userBody, "device_id", `"\udc00\ud800"`), "device_id", "surrogate", false},
	{"half before another escape", events.VerbEnd, with(userBody, "custom_data", `"\ud800\n"`), "custom_data", "surrogate", false},
	{"half after an escaped backslash", events.VerbEnd, with(userBody, "custom_data", `"\\\udbff"`), "custom_data", "surrogate", false},
	{"half in a name", events.VerbInvite, with(inviteBody, "user_name", `"\uD83D"`), "user_name", "surrogate", false},
	{"half in a callee", events.VerbInvite, with(inviteBody, "callees", `[{"user_id":"\ud800"}]`), "callees[0].user_id", "surrogate", false},

	{"control character in the caller's name", events.VerbInvite, with(inviteBody, "user_name", `"Ann\u0000"`), "user_name", "control characters", false},
	{"control character in a callee's name", events.VerbAdd, with(addBody, "callees", `[{"user_id":"bob","user_name":"Bob\u009f"}]`), "callees[0].user_name", "control characters", false},
	{"long name of the caller", events.VerbInvite, with(inviteBody, "user_name", quote(y256+"a")), "user_name", "256", false},
	{"long name of a callee", events.VerbAdd, with(addBody, "callees", `[{"user_id":"bob","user_name":"`+y256+`a"}]`), "callees[0].user_name", "256", false},
	{"no call type", events.VerbInvite, with(inviteBody, "call_type", ""), "call_type", "0 (voice) or 1 (video)", false},
	{"call type 2", events.VerbInvite, with(inviteBody, "call_type", "2"), "call_type", "from 0 to 1", false},
	{"call type -1", events.VerbInvite, with(inviteBody, "call_type", "-1"), "call_type", "from 0 to 1", false},
	{"ring timeout 0", events.VerbInvite, with(inviteBody, "ring_timeout_s", "0"), "ring_timeout_s", "from 1 to 600", false},
	{"ring timeout 601", events.VerbAdd, with(addBody, "ring_timeout_s", "601"), "ring_timeout_s", "from 1 to 600", false},
	{"ring timeout -60", events.VerbAdd, with(addBody, "ring_timeout_s", "-60"), "ring_timeout_s", "from 1 to 600", false},
	{"ring timeout past 64 bits", events.VerbAdd, with(addBody, "ring_timeout_s", "18446744073709551676"), "ring_timeout_s", "from 1 to 600", false},
	{"attempt 0", events.VerbRing, with(userBody, "attempt", "0"), "attempt", "from 1", false},
	{"attempt -1", events.VerbAccept, with(userBody, "attempt", "-1"), "attempt", "from 1", false},
	{"seen 0", events.VerbLeave, with(userBody, "seen", "0"), "seen", "from 1", false},
	{"seen past 31 bits", events.VerbTake, with(takeBody, "seen", "2147483648"), "seen", "from 1 to 2147483647", false},
	{"take without a device", events.VerbTake, with(takeBody, "device_id", ""), "device_id", "128", false},
	{"take with an empty device", events.VerbTake, with(takeBody, "device_id", `""`), "device_id", "128", false},
	{"take with custom data", events.VerbTake, with(takeBody, "custom_data", `"x"`), `"custom_data"`, "unknown field", false},
	{"drop without a party", events.VerbDrop, with(dropBody, "party", ""), "party", "required", false},
	{"drop without seen", events.VerbDrop, with(dropBody, "seen", ""), "seen", "required", false},
	{"a party without a user", events.VerbDrop, with(dropBody, "party", `{"device_id":"d"}`), "party.user_id", "128", false},
	{"a party without a device", events.VerbDrop, with(dropBody, "party", `{"user_id":"bob"}`), "party.device_id", "128", false},
	{"a party with a device twice", events.VerbDrop, with(dropBody, "party", `{"user_id":"bob","device_id":"d","device_id":"d"}`), "party.device_id", "twice", false},
	{"a party with a name", events.VerbDrop, with(dropBody, "party", `{"user_id":"bob","device_id":"d","user_name":"B"}`), `party."user_name"`, "unknown field", false},
	{"a party with a control character", events.VerbDrop, with(dropBody, "party", `{"user_id":"bob","device_id":"\u0007"}`), "party.device_id", "control characters", false},
	{"unknown reason", events.VerbDecline, with(userBody, "reason", `"nope"`), "reason", "declined or busy", false},
	{"a reason of another verb", events.VerbDecline, with(userBody, "reason", `"timed_out"`), "reason", "declined or busy", false},
	{"upper-case reason", events.VerbDecline, with(userBody, "reason", `"Busy"`), "reason", "declined or busy", false},

	{"no callees", events.VerbInvite, with(inviteBody, "callees", ""), "callees", "at least 1", false},
	{"no callees", events.VerbAdd, with(addBody, "callees", ""), "callees", "at least 1", false},
	{"empty callees", events.VerbInvite, with(inviteBody, "callees", "[]"), "callees", "at least 1", false},
	{"empty callees", events.VerbAdd, with(addBody, "callees", "[ ]"), "callees", "at least 1", false},
	{"empty callees", events.VerbCancel, with(userBody, "callees", "[]"), "callees", "at least 1", false},
	{"self-call", events.VerbInvite, with(inviteBody, "callees", `[{"user_id":"bob"},{"user_id":"ann"}]`), "callees[1].user_id", "caller", false},
	{"self-call with an escape", events.VerbInvite, with(inviteBody, "callees", `[{"user_id":"\u0061nn"}]`), "callees[0].user_id", "caller", false},
	{"callee twice", events.VerbInvite, with(inviteBody, "callees", `[{"user_id":"bob"},{"user_id":"eve"},{"user_id":"bob","user_name":"B"}]`), "callees[2].user_id", "twice", false},
	{"callee twice", events.VerbAdd, with(addBody, "callees", `[{"user_id":"bob"},{"user_id":"bob"}]`), "callees[1].user_id", "twice", false},
	{"callee twice", events.VerbCancel, with(userBody, "callees", `["eve","eve"]`), "callees[1]", "twice", false},
	{"callee without user", events.VerbAdd, with(addBody, "callees", `[{"user_name":"Bob"}]`), "callees[0].user_id", "128", false},
	{"callee with empty user", events.VerbAdd, with(addBody, "callees", `[{"user_id":""}]`), "callees[0].user_id", "128", false},
	{"long callee", events.VerbAdd, with(addBody, "callees", `[{"user_id":"eve"},{"user_id":"`+name128+`a"}]`), "callees[1].user_id", "128", false},
	{"callee with a control character", events.VerbAdd, with(addBody, "callees", `[{"user_id":"\u001f"}]`), "callees[0].user_id", "128", false},
	{"callee with an unknown field", events.VerbInvite, with(inviteBody, "callees", `[{"user_id":"bob","device_id":"d"}]`), "device_id", "unknown field", false},
	{"callee with a case-different name", events.VerbInvite, with(inviteBody, "callees", `[{"User_id":"bob"}]`), "User_id", "unknown field", false},
	{"callee with a long name", events.VerbInvite, with(inviteBody, "callees", `[{"`+strings.Repeat("n", 200_000)+`":1}]`), "callees[0]", "unknown field", false},
	{"callee with a hostile name", events.VerbInvite, with(inviteBody, "callees", `[{"\r\nX-Header: 1\u0000":1}]`), "callees[0]", "unknown field", false},
	{"long callee to cancel", events.VerbCancel, with(userBody, "callees", `["eve","`+name128+`a"]`), "callees[1]", "128", false},
	{"empty callee to cancel", events.VerbCancel, with(userBody, "callees", `[""]`), "callees[0]", "128", false},
	{"4,097 bytes of custom data", events.VerbEnd, with(userBody, "custom_data", quote(strings.Repeat("a", 4097))), "custom_data", "4096", false},
	{"unknown verb", "dance", userBody, "unknown field", "dance", false},
	{"unknown verb without anything", "dance", `{}`, "command_id", "64", true},
}

func TestReadCommandRefuses(t *testing.T) {
	for _, c := range slices.Concat(badBodies, badFields) {
		t.Run(string(c.verb)+"/"+c.name, func(t *testing.T) { checkRefused(t, c) })
	}
}

func checkRefused(t *testing.T, c badInput) {
	t.Helper()
	got, err := events.ReadCommand(address(c.verb), []byte(c.body))
	if err == nil {
		t.Fatalf("%.200s is read as %+v, want an error that names %q, %q", c.body, got, c.field, c.limit)
	}
	checkRefusal(t, err, c.field, c.limit)
	want := "k1"
	if c.noID {
		want = ""
	}
	if got.CommandID != want || got.CommandAddress != address(c.verb) {
		t.Errorf("with the error come command id %.80q and %+v, want %q and the address", got.CommandID, got.CommandAddress, want)
	}
}

// sound holds a valid value of each field.
var sound = map[string]string{
	"custom_data": `"x"`, "user_name": `"Ann"`, "call_type": `1`, "room_id": `"r"`, "callees": `[{"user_id":"eve"}]`,
	"ring_timeout_s": `5`, "reason": `"busy"`, "attempt": `1`, "seen": `4`, "party": `{"user_id":"eve","device_id":"d"}`,
}

// member is a member of the schema of a command. A verb that only users send has a constant service.
type member struct {
	Const *string `json:"const"`
}

// schemaOf returns the members of a command by its schema, which is written apart from this package.
func schemaOf(t *testing.T, v events.Verb) map[string]member {
	t.Helper()
	text, err := os.ReadFile("../schemas/command/" + string(v) + "/v1.json")
	if err != nil {
		t.Fatalf("%v: run go generate ./schemas", err)
	}
	var schema struct {
		Properties map[string]member `json:"properties"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Properties
}

func TestFieldsOfVerbs(t *testing.T) {
	for _, v := range events.Verbs() {
		members := schemaOf(t, v)
		for field, value := range sound {
			if field == "callees" && v == events.VerbCancel {
				value = `["eve"]`
			}
			c := badInput{verb: v, body: with(least(v), field, value), field: fmt.Sprintf("%q: unknown field", field), limit: string(v)}
			if _, has := members[field]; !has {
				t.Run(string(v)+"/no "+field, func(t *testing.T) { checkRefused(t, c) })
			} else if _, err := events.ReadCommand(address(v), []byte(c.body)); err != nil {
				t.Errorf("%s: %s: %v", v, c.body, err)
			}
		}
	}
}

func TestServices(t *testing.T) {
	for _, v := range events.Verbs() {
		c := badInput{verb: v, body: with(least(v), "user_id", "", "device_id", "", "service", `"desk"`), field: "user_id", limit: "128"}
		if schemaOf(t, v)["service"].Const != nil {
			t.Run(string(v), func(t *testing.T) { checkRefused(t, c) })
		} else if got, err := events.ReadCommand(address(v), []byte(c.body)); err != nil || got.Service != "desk" || got.UserID != "" {
			t.Errorf("%s: %s: got %+v, %v", v, c.body, got, err)
		}
	}
}

func TestWrongTypes(t *testing.T) {
	text := []string{`null`, `1`, `true`, `false`, `[]`, `{}`, `["bob"]`}
	number := []string{`null`, `"1"`, `""`, `true`, `[]`, `{}`, `[1]`, `1.5`, `0.999`, `1e400`, `-1e400`, `1e-9`}
	for _, c := range []struct {
		verb   events.Verb
		field  string
		format string // of the field's value
		values []string
	}{
		{events.VerbInvite, "command_id", "%s", text},
		{events.VerbInvite, "user_id", "%s", text},
		{events.VerbInvite, "service", "%s", text},
		{events.VerbInvite, "device_id", "%s", text},
		{events.VerbInvite, "custom_data", "%s", text},
		{events.VerbInvite, "user_name", "%s", text},
		{events.VerbInvite, "room_id", "%s", text},
		{events.VerbDecline, "reason", "%s", text},
		{events.VerbInvite, "call_type", "%s", number},
		{events.VerbInvite, "ring_timeout_s", "%s", number},
		{events.VerbAdd, "ring_timeout_s", "%s", number},
		{events.VerbLeave, "attempt", "%s", number},
		{events.VerbEnd, "seen", "%s", number},
		{events.VerbDrop, "party", "%s", []string{`null`, `"bob"`, `1`, `true`, `[]`, `["bob"]`}},
		{events.VerbDrop, "party", `{"user_id":%s,"device_id":"d"}`, text},
		{events.VerbDrop, "party", `{"user_id":"bob","device_id":%s}`, text},
		{events.VerbInvite, "callees", "%s", []string{`null`, `"bob"`, `1`, `true`, `{}`, `{"user_id":"bob"}`}},
		{events.VerbInvite, "callees", "[%s]", []string{`null`, `"bob"`, `1`, `true`, `[]`}},
		{events.VerbAdd, "callees", `[{"user_id":%s}]`, text},
		{events.VerbAdd, "callees", `[{"user_id":"bob","user_name":%s}]`, text},
		{events.VerbCancel, "callees", "%s", []string{`null`, `"bob"`, `1`, `true`, `{}`}},
		{events.VerbCancel, "callees", "[%s]", []string{`null`, `1`, `true`, `[]`, `{"user_id":"bob"}`}},
	} {
		for _, value := range c.values {
			value = fmt.Sprintf(c.format, value)
			t.Run(string(c.verb)+"/"+c.field+"/"+value, func(t *testing.T) {
				body := with(least(c.verb), c.field, value)
				checkRefused(t, badInput{verb: c.verb, body: body, field: c.field, limit: "must be", noID: c.field == "command_id"})
			})
		}
	}
}

// The limit of custom data counts the bytes between the quotes in the JSON. The limits of user names and ids count
// the decoded bytes.
func TestSizesAtTheLimit(t *testing.T) {
	for _, c := range []struct {
		verb         events.Verb
		field        string
		unit         string // repeated text, as encoded in the JSON
		times        int
		more         string // text that exceeds the limit
		limit, names string
	}{
		{events.VerbEnd, "custom_data", `a`, 4096, `a`, "4096", "4097"},
		{events.VerbEnd, "custom_data", `é`, 2048, `a`, "4096", "4097"},
		{events.VerbEnd, "custom_data", `é`, 2047, `aé`, "4096", "4097"},
		{events.VerbEnd, "custom_data", `😀`, 1024, `a`, "4096", "4097"},
		{events.VerbEnd, "custom_data", `\u0041`, 682, `aaaaa`, "4096", "4097"},
		{events.VerbEnd, "custom_data", `\"`, 2048, `a`, "4096", "4097"},
		{events.VerbEnd, "custom_data", `\/`, 2048, `\/`, "4096", "4098"},
		{events.VerbEnd, "custom_data", `\u0000`, 682, `\u0000`, "4096", "4098"},
		{events.VerbEnd, "custom_data", `\ud83d\ude00`, 341, `aaaaa`, "4096", "4097"},
		{events.VerbEnd, "custom_data", `<`, 4096, `<`, "4096", "4097"},
		{events.VerbEnd, "custom_data", "\u2028", 1365, "\u2029", "4096", "4098"},
		{events.VerbEnd, "custom_data", "\x7f", 4096, "\x7f", "4096", "4097"},
		{events.VerbInvite, "user_name", `a`, 256, `a`, "256", "257"},
		{events.VerbInvite, "user_name", `\u0041`, 256, `a`, "256", "257"},
		{events.VerbInvite, "user_name", `\u00e9`, 128, `a`, "256", "257"},
		{events.VerbInvite, "user_name", `😀`, 64, `é`, "256", "258"},
		{events.VerbRing, "user_id", `\u0041`, 128, `a`, "128", "129"},
		{events.VerbRing, "user_id", `😀`, 32, `a`, "128", "129"},
		{events.VerbRing, "device_id", `é`, 64, `é`, "128", "130"},
		{events.VerbInvite, "room_id", `a`, 128, `a`, "128", "129"},
		{events.VerbEnd, "command_id", `-`, 64, `-`, "64", "65"},
	} {
		t.Run(fmt.Sprintf("%s/%d of %q", c.field, c.times, c.unit), func(t *testing.T) {
			full := strings.Repeat(c.unit, c.times)
			got, err := events.ReadCommand(address(c.verb), []byte(with(least(c.verb), c.field, quote(full))))
			if err != nil {
				t.Fatal(err)
			}
			checkReadsBack(t, got)
			_, err = events.ReadCommand(address(c.verb), []byte(with(least(c.verb), c.field, quote(full+c.more))))
			checkRefusal(t, err, c.field, c.limit)
		})
	}
}

func TestBodyAtTheLimit(t *testing.T) {
	body := userBody + strings.Repeat(" ", events.MaxCommand-len(userBody))
	if len(body) != 256*1024 {
		t.Fatalf("MaxCommand is %d bytes, want 256 KiB", events.MaxCommand)
	}
	if _, err := events.ReadCommand(address(events.VerbEnd), []byte(body)); err != nil {
		t.Error(err)
	}
}
