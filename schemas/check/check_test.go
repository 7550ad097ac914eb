package check_test

import (
	"strings"
	"testing"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas/check"
)

func address(v events.Verb) events.CommandAddress {
	return events.CommandAddress{App: "demo", CallID: "c1", Verb: v}
}

// For rules that JSON Schema can't express, the schema allows the body, package events refuses it, and Beyond gives
// the reason.
func TestRulesBeyondTheSchema(t *testing.T) {
	c := check.New()
	const invite, add, ring, end, drop = events.VerbInvite, events.VerbAdd, events.VerbRing, events.VerbEnd, events.VerbDrop
	head := `{"command_id":"k","user_id":"bob",`
	for _, x := range []struct {
		verb       events.Verb
		body, says string
	}{
		{ring, `{"command_id":"k","user_id":"` + strings.Repeat("é", 65) + `"}`, "128 bytes"},
		{ring, head + `"device_id":"` + strings.Repeat("é", 65) + `"}`, "128 bytes"},
		{invite, head + `"call_type":0,"callees":[{"user_id":"eve"}],"room_id":"` + strings.Repeat("😀", 33) + `"}`, "128 bytes"},
		{invite, head + `"call_type":0,"callees":[{"user_id":"eve"}],"user_name":"` + strings.Repeat("é", 129) + `"}`, "256 bytes"},
		{invite, head + `"call_type":0,"callees":[{"user_id":"bob"}]}`, "is the caller"},
		{drop, head + `"seen":1,"party":{"user_id":"eve","device_id":"` + strings.Repeat("é", 65) + `"}}`, "128 bytes"},
		{add, head + `"callees":[{"user_id":"` + strings.Repeat("é", 65) + `"}]}`, "128 bytes"},
		{add, head + `"callees":[{"user_id":"eve","user_name":"` + strings.Repeat("é", 129) + `"}]}`, "256 bytes"},
		{add, head + `"callees":[{"user_id":"eve"},{"user_id":"eve","user_name":"E"}]}`, "twice"},
		{add, head + `"callees":[{"user_id":"eve","user_id":"dan"}]}`, "given twice"},
		{end, head + `"custom_data":"` + strings.Repeat(`\n`, 2049) + `"}`, "4096 bytes"},
		{end, head + `"custom_data":"` + strings.Repeat(`é`, 2049) + `"}`, "4096 bytes"},
		{end, head + `"custom_data":"` + strings.Repeat(`\u0041`, 683) + `"}`, "4096 bytes"},
		{end, head + `"custom_data":"\ud800"}`, "surrogate"},
		{end, head + `"custom_data":"\ud800\ufffd` + "\ufffd" + `"}`, "surrogate"},
		{end, head + `"custom_data":"\\\udfff"}`, "surrogate"},
		{end, head + `"custom_data":"a","custom_data":"b"}`, "given twice"},
		{end, head + `"custom_data":"a","custom\u005fdata":"b"}`, "given twice"},
		{end, head + "\"custom_data\":\"\xff\"}", "UTF-8"},
		{end, head + `"custom_data":"a"}` + strings.Repeat(" ", events.MaxCommand), "262144 bytes"},
	} {
		if err := c.Valid("command/"+string(x.verb)+"/v1.json", []byte(x.body)); err != nil {
			t.Errorf("the schema can say that: %v\n%.200s", err, x.body)
		}
		if _, refused := events.ReadCommand(address(x.verb), []byte(x.body)); refused == nil {
			t.Errorf("nothing is wrong with %.200s", x.body)
		}
		if got := check.Beyond([]byte(x.body)); !strings.Contains(strings.Join(got, ", "), x.says) {
			t.Errorf("%q, want %q for %.200s", got, x.says, x.body)
		}
		if err := c.Command(address(x.verb), []byte(x.body)); err != nil {
			t.Error(err)
		}
	}
}

// Beyond reports nothing for valid bodies and for errors that a schema can express.
func TestNotBeyond(t *testing.T) {
	for _, body := range []string{
		``, `{`, `[]`, `7`, `{}`,
		`{"command_id":"k","user_id":"bob","custom_data":"\\ud800 \ufffd \uFFFD ` + "\ufffd" + `"}`,
		`{"command_id":"k","user_id":"bob","custom_data":"\ud83d\ude00"}`,
		`{"user_id":"` + strings.Repeat("x", 129) + `","user_name":"` + strings.Repeat("é", 257) + `","custom_data":"` + strings.Repeat("x", 4097) + `"}`,
		`{"callees":["eve","eve"],"user_id":"eve"}`,
		`{"callees":[{"user_id":"eve"},{"user_id":"eve"}]}`,
		`{"callees":[{"user_id":"eve"},{"user_id":"dan"}],"a":{"user_id":"eve"},"b":["user_id","user_id"]}`,
		`{"user_id":7,"callees":{}}`,
	} {
		if got := check.Beyond([]byte(body)); len(got) > 0 {
			t.Errorf("%q of %.200s", got, body)
		}
	}
}

// The checker detects a schema that disagrees with package events, in both directions.
func TestDisagreement(t *testing.T) {
	a, body := address(events.VerbRing), []byte(`{"command_id":"k","user_id":"bob","attempt":1}`)
	if err := check.New().Command(a, body); err != nil {
		t.Error(err)
	}
	without := check.New(func(_ string, s map[string]any) {
		if p, ok := s["properties"].(map[string]any); ok {
			delete(p, "attempt")
		}
	})
	if err := without.Command(a, body); err == nil || !strings.Contains(err.Error(), "attempt") {
		t.Errorf("got %v, want that attempt is not allowed", err)
	}
	open := check.New(func(_ string, s map[string]any) { delete(s, "additionalProperties") })
	if err := open.Command(a, []byte(`{"command_id":"k","user_id":"bob","bogus":1}`)); err == nil || !strings.Contains(err.Error(), "bogus") {
		t.Errorf("got %v, want that bogus is refused", err)
	}
}

func TestRequests(t *testing.T) {
	c := check.New()
	for _, x := range []struct {
		method, body string
		valid        bool
	}{
		{"get", `{"call_id":"c1"}`, true},
		{"get", `{"call_id":""}`, false},
		{"get", `{"call_id":"c1","user_id":"ann"}`, false},
		{"get", ``, false},
		{"line", `{"user_id":"a.b"}`, true},
		{"line", `{"user_id":""}`, false},
		{"line", `{"user_id":"ann","call_id":"c1"}`, false},
		{"line", `{}`, false},
		{"list", ``, true},
		{"list", `{}`, true},
		{"list", `{"state":"","limit":1}`, true},
		{"list", `{"state":"active","limit":1000}`, true},
		{"list", `{"state":"ended"}`, false},
		{"list", `{"limit":0}`, false},
		{"list", `{"limit":1001}`, false},
		{"list", `{"user_id":"ann"}`, false},
		{"invite", `{"command_id":"k","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}]}`, true},
		{"ring", `{"user_id":"bob"}`, false},
		{"ring", `{"user_id":"bob","call_id":"c1"}`, true},
	} {
		if err := c.Request(x.method, []byte(x.body)); err != nil {
			t.Errorf("%s: %v", x.method, err)
		}
		if err := c.Valid("request/"+x.method+"/v1.json", []byte(x.body)); (err == nil) != x.valid && x.body != "" {
			t.Errorf("%s %s: %v, want valid: %t", x.method, x.body, err, x.valid)
		}
	}
}

func TestMessage(t *testing.T) {
	c := check.New()
	refusal := []byte(`{"ok":false,"error":{"code":"not_found","message":"m"},"later":1}`)
	if err := c.Message("ringline.demo.answer.t", "", refusal); err != nil {
		t.Errorf("readers ignore what they do not know: %v", err)
	}
	if err := check.New(check.Closed).Message("ringline.demo.answer.t", "", refusal); err == nil {
		t.Error("closed, but undescribed fields are allowed")
	}
	for _, x := range []struct{ subject, event, body string }{
		{"ringline.demo.answer.t", "", `{"ok":true}`},
		{"ringline.demo.answer.t", "", `{"ok":false,"error":{"code":"oops","message":"m"}}`},
		{"ringline.demo.answer.t", "", `{"ok":false}`},
		{"ringline.demo.answer.t", "", `nonsense`},
		{"ringline.demo.user.ann", "", `{"event":"call_ended"}`},
		{"ringline.demo.user.ann", "", `{"event":"bogus"}`},
		{"ringline.demo.user.ann", "", `{}`},
		{"ringline.demo.call.c1", "accepted", `{}`},
		{"ringline.demo.call.c1", "", `{}`},
		{"ringline.demo.rejected.ring", "", `{}`},
	} {
		if err := c.Message(x.subject, x.event, []byte(x.body)); err == nil {
			t.Errorf("%s %q allows %s", x.subject, x.event, x.body)
		}
	}
	if err := c.Valid("nothing/v1.json", []byte(`{}`)); err == nil {
		t.Error("a schema that is not there allows something")
	}
}
