package schemas_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
	"ringline.io/ringline/schemas/check"
)

// body is the body of a command: member names with their encoded values.
type body map[string]string

func (b body) text() []byte {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(b)) {
		members = append(members, fmt.Sprintf("%q:%s", name, b[name]))
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// with returns the body with members added or replaced, given as alternating names and values. The value "" removes a
// member.
func (b body) with(members ...string) body {
	b = maps.Clone(b)
	for i := 0; i < len(members); i += 2 {
		if b[members[i]] = members[i+1]; members[i+1] == "" {
			delete(b, members[i])
		}
	}
	return b
}

// least returns the smallest valid body of a verb, sent by a user.
func least(v events.Verb) body {
	b := body{"command_id": `"k"`, "user_id": `"bob"`}
	if v == events.VerbInvite {
		b = b.with("call_type", "0")
	}
	if v.Invites() {
		b = b.with("callees", `[{"user_id":"eve"}]`)
	}
	if v == events.VerbTake {
		b = b.with("device_id", `"phone"`)
	}
	if v == events.VerbDrop {
		b = b.with("party", `{"user_id":"eve","device_id":"phone"}`, "seen", "1")
	}
	return b
}

func quoted(c string, n int) string { return `"` + strings.Repeat(c, n) + `"` }

// values lists the values to try for each field: valid and invalid, at the limits and above them. Those of a field without an
// entry of its own are derived from its schema.
func values(t *testing.T) map[string][]string {
	t.Helper()
	all := ownValues()
	for field := range commandFields() {
		if all[field] == nil {
			all[field] = derivedValues(t, field)
		}
	}
	return all
}

// ownValues lists the values of fields whose rules a schema can't fully express.
func ownValues() map[string][]string {
	wrongType := []string{`7`, `null`, `[]`, `{}`, `true`}
	token := append([]string{quoted("k", 1), quoted("k", events.MaxToken), quoted("k", events.MaxToken+1), `""`, `"a b"`, `"a.b"`, `"é"`, `"A-z_0"`}, wrongType...)
	name := append([]string{
		`"x"`, `"a.b *>"`, quoted("x", events.MaxName), quoted("x", events.MaxName+1), `""`, `"a\u0000"`, `"a\u001f"`, `"a\u007f"`, `"a\u009f"`, `"a\u00a0"`,
		quoted("é", events.MaxName/2), quoted("é", events.MaxName/2+1), quoted("😀", events.MaxName/4), `"\ud83d\ude00"`, `"\ud83d"`, `"\ufffd"`,
	}, wrongType...)
	number := func(least, most int64) []string {
		return []string{
			fmt.Sprint(least - 1), fmt.Sprint(least), fmt.Sprintf("%d.0", least), fmt.Sprintf("%d.5", least), fmt.Sprint(most), fmt.Sprint(most + 1),
			`-1`, `1e0`, `1e999`, `1e99999999`, `"1"`, `null`, `true`, `[]`,
		}
	}
	callees := []string{
		`[]`, `{}`, `null`, `"eve"`, `["eve"]`, `["eve","bob"]`, `["eve","eve"]`, `[""]`, `[null]`, `[7]`, "[" + quoted("x", events.MaxName) + "]", "[" + quoted("x", events.MaxName+1) + "]",
		`["a\u0085"]`, "[" + quoted("é", 65) + "]", many(events.MaxCallees), many(events.MaxCallees + 1), many(events.MaxCallees+1) + " ",
		manyIDs(events.MaxCallees), manyIDs(events.MaxCallees + 1), `[{"user_id":"eve","user_id":"eve"}]`,
		`[{"user_id":"eve"}]`, `[{"user_id":"eve"},{"user_id":"eve"}]`, `[{"user_id":"eve"},{"user_id":"eve","user_name":"E"}]`, `[{"user_id":"bob"}]`,
		`[{"user_id":"eve"},{"user_id":"dan","user_name":"Dan"}]`, `[{}]`, `[{"user_id":""}]`, `[{"user_name":"E"}]`, `[{"user_id":"eve","user_name":""}]`,
		`[{"user_id":"eve","user_name":7}]`, `[{"user_id":"eve","user_name":"\u0007"}]`, `[{"user_id":7}]`, `[{"user_id":"eve","age":7}]`, `[{"user_id":"eve","bogus":"x"}]`, `[{"user_id":"eve","USER_NAME":"x"}]`, `[{"USER_ID":"eve"}]`,
		`[{"user_id":"a\u0000"}]`, `[{"user_id":` + quoted("x", events.MaxName) + `}]`, `[{"user_id":` + quoted("x", events.MaxName+1) + `}]`, `[{"user_id":` + quoted("é", 65) + `}]`,
		`[{"user_id":"eve","user_name":` + quoted("x", events.MaxUserName) + `}]`, `[{"user_id":"eve","user_name":` + quoted("x", events.MaxUserName+1) + `}]`, `[{"user_id":"eve","user_name":` + quoted("é", 129) + `}]`,
	}
	url := func(n int) string { return `"https://` + strings.Repeat("x", n-len("https://")) + `"` }
	return map[string][]string{
		"user_avatar": append([]string{
			`""`, `"https://x"`, `"https://"`, `"http://x"`, `"HTTPS://x"`, `"x"`, `"javascript:x"`, `"https://a b"`, `"https://a\"b"`, `"https://a\\b"`, `"https://é"`, `"https://a\u007f"`,
			`"https://a.example/!#[]~?x=%20"`, `" https://x"`, `"https://x\n"`, url(events.MaxAvatar), url(events.MaxAvatar + 1),
		}, wrongType...),
		"command_id": token, "call_id": token, "service": token,
		"user_id": name, "device_id": name, "room_id": name,
		"user_name":      append([]string{`"x"`, quoted("x", events.MaxUserName), quoted("x", events.MaxUserName+1), `""`, `"\u0000"`, `"\u009f"`, "\"\x7f\"", quoted("é", events.MaxUserName/2+1)}, wrongType...),
		"custom_data":    append([]string{`"x"`, quoted("x", events.MaxCustomData), quoted("x", events.MaxCustomData+1), `""`, `"\u0000"`, quoted(`\n`, events.MaxCustomData/2), quoted(`\n`, events.MaxCustomData/2+1), `"\ud800"`}, wrongType...),
		"call_type":      {`0`, `1`, `2`, `-1`, `1.0`, `0.5`, `"0"`, `"bogus"`, `null`},
		"ring_timeout_s": number(events.MinRingTimeoutS, events.MaxRingTimeoutS),
		"attempt":        number(1, 1<<31-1),
		"party": {
			`{}`, `{"user_id":"e"}`, `{"device_id":"d"}`, `{"user_id":"e","device_id":""}`, `{"user_id":"","device_id":"d"}`, `{"user_id":"e","device_id":"tablet"}`,
			`{"user_id":7,"device_id":"d"}`, `{"user_id":"e","device_id":null}`, `{"user_id":"e","device_id":"d","bogus":"x"}`, `{"user_id":"e","USER_ID":"e","device_id":"d"}`,
			`{"user_id":"e","user_id":"e","device_id":"d"}`, `{"user_id":"e","device_id":"a\u0000"}`, `{"user_id":` + quoted("x", events.MaxName) + `,"device_id":"d"}`,
			`{"user_id":` + quoted("x", events.MaxName+1) + `,"device_id":"d"}`,
			`{"user_id":"e","device_id":` + quoted("x", events.MaxName) + `}`, `{"user_id":"e","device_id":` + quoted("x", events.MaxName+1) + `}`,
			`{"user_id":"a\u0000","device_id":"d"}`, `{"user_id":"e","device_id":` + quoted("é", 65) + `}`, `[]`, `"e"`, `null`, `7`, `[{"user_id":"e","device_id":"d"}]`,
		},
		"reason":  {`"declined"`, `"busy"`, `"canceled"`, `"bogus"`, `""`, `7`, `null`},
		"via":     {`"session"`, `"bogus"`, `""`, `7`, `null`},
		"callees": callees,
		"bogus":   {`"x"`},
		"app":     {`"x"`},
	}
}

func many(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"user_id":"u%d"}`, i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

func manyIDs(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"u%d"`, i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// probe is a body to try, with the field that it varies.
type probe struct{ field, body string }

// disagrees returns an error if the schema and package events judge the body differently.
func (p probe) disagrees(c *check.Checker, v events.Verb, request bool) error {
	if request {
		return c.Request(string(v), []byte(p.body))
	}
	return c.Command(events.CommandAddress{App: "demo", CallID: "c1", Verb: v}, []byte(p.body))
}

// probes returns the bodies to try for a verb: each value of each field, fields of other verbs, a field name in
// capitals, each sender with its dependent fields, and bodies that are not objects.
func probes(t *testing.T, v events.Verb) []probe {
	t.Helper()
	var list []probe
	add := func(field string, b body) {
		list = append(list, probe{field, string(b.text())}, probe{field, string(b.with("call_id", `"c1"`).text())})
	}
	add("", least(v))
	all := values(t)
	for _, field := range slices.Sorted(maps.Keys(all)) {
		add(field, least(v).with(field, ""))
		add(field, least(v).with(strings.ToUpper(field), all[field][0]))
		for _, value := range all[field] {
			list = append(list, probe{field, string(least(v).with(field, value).text())})
			if field != "call_id" {
				list = append(list, probe{field, string(least(v).with("call_id", `"c1"`, field, value).text())})
			}
		}
	}
	for _, user := range []string{"", `""`, `"bob"`, `"\u0000"`, `null`} {
		for _, service := range []string{"", `""`, `"desk"`, `"a b"`, `null`} {
			for _, device := range []string{"", `""`, `"phone"`} {
				add("sender", least(v).with("user_id", user, "service", service, "device_id", device))
			}
		}
	}
	for _, via := range []string{`"session"`, `""`} {
		add("sender", least(v).with("user_id", "", "service", `"desk"`, "via", via))
		add("sender", least(v).with("user_id", `"bob"`, "service", `""`, "via", via))
	}
	for _, text := range []string{``, `null`, `[]`, `"bob"`, `{}`, `{"command_id":"k"`, string(least(v).text()) + `{}`, "\xff"} {
		list = append(list, probe{"body", text})
	}
	return list
}

// TestCommands checks that the schemas of commands agree with events.ReadCommand, and those of requests with
// ReadRequest.
func TestCommands(t *testing.T) {
	c := check.New()
	for _, v := range events.Verbs() {
		for _, request := range []bool{false, true} {
			if request && !v.Served() {
				continue
			}
			accepted := map[string]int{}
			for _, p := range probes(t, v) {
				if err := p.disagrees(c, v, request); err != nil {
					t.Errorf("%s %s: %v\n%.300s", v, p.field, err, p.body)
				}
				if reads(v, p.body, request) {
					accepted[p.field]++
				}
			}
			for _, field := range fieldsOf(v, request) {
				if accepted[field] < 2 && field != "service" || accepted["body"]+accepted["bogus"]+accepted["app"] > 4 {
					t.Errorf("%s: the probes try nothing: %v", v, accepted)
				}
			}
		}
	}
}

func reads(v events.Verb, text string, request bool) bool { return refusal(v, text, request) == nil }

func refusal(v events.Verb, text string, request bool) error {
	if request {
		_, refused := events.ReadRequest("demo", v, []byte(text), func() string { return "made" })
		return refused
	}
	_, refused := events.ReadCommand(events.CommandAddress{App: "demo", CallID: "c1", Verb: v}, []byte(text))
	return refused
}

// fieldsOf determines the fields that package events accepts for a verb: those that are not refused as unknown.
func fieldsOf(v events.Verb, request bool) (fields []string) {
	names := []string{"call_id"}
	for f := range reflect.TypeFor[events.Command]().Fields() {
		if !f.Anonymous {
			names = append(names, nameOf(f))
		}
	}
	for _, name := range names {
		refused := refusal(v, string(least(v).with(name, `{}`).text()), request)
		if refused == nil || !strings.Contains(events.Message(refused), "unknown field") {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return fields
}

// TestRefusalsNameTheField checks that the refusal of each invalid value names the field and the limits that it breaks.
func TestRefusalsNameTheField(t *testing.T) {
	for _, path := range schemas.Paths() {
		folder, verb, _ := strings.Cut(schemas.NameOf(path), "/")
		v, request := events.Verb(verb), folder == "request"
		if folder != "command" && (!request || !v.Served()) {
			continue
		}
		properties, refused := schema(t, path)["properties"].(object), 0
		for field, list := range values(t) {
			s, _ := properties[field].(object)
			for _, value := range list {
				b := least(v)
				if request {
					b = b.with("call_id", `"c1"`)
				}
				err := refusal(v, string(b.with(field, value).text()), request)
				if err == nil {
					continue
				}
				refused++
				for _, name := range append(broken(s, value), field) {
					if !strings.Contains(events.Message(err), name) {
						t.Errorf("%s: the refusal of %s %.100s does not name %s: %v", path, field, value, name, err)
					}
				}
			}
		}
		if refused < 100 {
			t.Errorf("%s: only %d refusals", path, refused)
		}
	}
}

// TestCommandFields checks that the members of a command's schema are the fields that package events reads.
func TestCommandFields(t *testing.T) {
	for _, v := range events.Verbs() {
		for folder, request := range map[string]bool{"command": false, "request": true} {
			if request && !v.Served() {
				continue
			}
			s := schema(t, folder+"/"+string(v)+"/v1.json")
			got := slices.Sorted(maps.Keys(s["properties"].(object)))
			if want := fieldsOf(v, request); !slices.Equal(got, want) {
				t.Errorf("%s %s has %v, want %v", folder, v, got, want)
			}
		}
	}
}

// TestMostCallees checks the only case in which a schema is stricter than the reader: no app may allow more callees.
// The decision refuses them.
func TestMostCallees(t *testing.T) {
	c := check.New()
	for v, list := range map[events.Verb]func(int) string{events.VerbInvite: many, events.VerbAdd: many, events.VerbCancel: manyIDs} {
		for n, allowed := range map[int]bool{events.MaxCallees: true, events.MaxCallees + 1: false} {
			b := least(v).with("callees", list(n)).text()
			if err := c.Valid("command/"+string(v)+"/v1.json", b); (err == nil) != allowed || !reads(v, string(b), false) {
				t.Errorf("%s with %d callees: %v", v, n, err)
			}
		}
	}
}
