package events_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"ringline.io/ringline/events"
)

// Messages written by hand from the protocol contract, with {} for omitted calls.
const (
	exampleAnswer = `
{"command_id":"k2","ok":true,"call":{"call_id":"c1","app":"demo","room_id":"c1","call_type":1,"state":"ringing","seq":4,
 "caller":{"user_id":"ann","user_name":"Ann","state":"in","at":"2026-11-24T10:00:00.000Z"},
 "callees":[
  {"user_id":"bob","user_name":"Bob","attempt":1,"invited_by":"ann","state":"declined","reason":"declined","custom_seq":4,"device_id":"phone-1","ring_deadline":"2026-11-24T10:01:00.000Z","at":"2026-11-24T10:00:07.250Z"},
  {"user_id":"eve","user_name":"Eve","attempt":1,"invited_by":"ann","state":"ringing","ring_deadline":"2026-11-24T10:01:00.000Z","at":"2026-11-24T10:00:00.400Z"}],
 "custom_data":"hi","custom":{"4":"later"},"created_at":"2026-11-24T10:00:00.000Z","expires_at":"2026-11-24T22:00:00.000Z"}}`

	exampleTransition = `
{"specversion":"1.0","id":"c1-4","source":"/ringline/demo","type":"io.ringline.call.declined.v2","subject":"c1","time":"2026-11-24T10:00:07.250Z",
 "datacontenttype":"application/json","dataschema":"https://ringline.io/schemas/call/declined/v2.json","sequence":"0000000004","causationid":"k2",
 "data":{"event":"declined","seq":4,"by":{"kind":"user","user_id":"bob","device_id":"phone-1"},
  "changes":[{"user_id":"bob","attempt":1,"from":"ringing","to":"declined","reason":"declined"}],"custom_data":"later","call":{},
  "commands":[{"id":"k1","verb":"invite","user_id":"ann","seq":1},{"id":"k2","verb":"decline","user_id":"bob","seq":4}]}}`

	exampleNotification = `
{"event":"outgoing_call_declined","id":"c1-4-0","call_id":"c1","seq":4,"user_id":"bob","reason":"declined","custom_data":"later",
 "by":{"kind":"user","user_id":"bob","device_id":"phone-1"},"server_time":"2026-11-24T10:00:07.260Z","ring_remaining_ms":52740,"call":{}}`
)

// exampleCall returns the complete call of the example. Each callee received the custom data of the call; ann called
// from her laptop.
func exampleCall() events.Call {
	ringUntil := events.DeadlineOf(at("10:01:00"))
	return events.Call{
		CallID: "c1", App: "demo", RoomID: "c1", CallType: events.CallTypeVideo, State: events.CallStateRinging, Seq: 4,
		Caller: events.Caller{UserID: "ann", UserName: "Ann", DeviceID: "laptop", State: events.StateIn, At: events.TimeOf(at("10:00:00"))},
		Callees: []events.Callee{
			{
				UserID: "bob", UserName: "Bob", Attempt: 1, InvitedBy: "ann", State: events.StateDeclined, Reason: events.ReasonDeclined,
				CustomSeq: 4, DeviceID: "phone-1", RingDeadline: ringUntil, At: events.TimeOf(at("10:00:07.25")),
			},
			{
				UserID: "eve", UserName: "Eve", Attempt: 1, InvitedBy: "ann", State: events.StateRinging,
				CustomSeq: 1, RingDeadline: ringUntil, At: events.TimeOf(at("10:00:00.4")),
			},
		},
		CustomData: "hi", Custom: map[int]string{4: "later"}, CreatedAt: events.TimeOf(at("10:00:00")), ExpiresAt: events.DeadlineOf(at("22:00:00")),
	}
}

func exampleStep() events.Transition {
	return events.Transition{
		CommandID: "k2", Format: 2, Event: events.EventDeclined, Seq: 4, By: events.By{Kind: events.ByUser, UserID: "bob", DeviceID: "phone-1"},
		Changes: []events.Change{
			{UserID: "bob", Attempt: 1, From: events.StateRinging, To: events.StateDeclined, Reason: events.ReasonDeclined},
		},
		CustomData: "later", Call: exampleCall(),
		Commands: []events.Remembered{
			{ID: "k1", Verb: events.VerbInvite, UserID: "ann", Seq: 1}, {ID: "k2", Verb: events.VerbDecline, UserID: "bob", Seq: 4},
		},
	}
}

func exampleNotice() events.Notice {
	n := events.NewNotice("ann", exampleStep(), 0, events.OutgoingCallDeclined)
	n.UserID, n.Reason, n.CustomData = "bob", string(events.ReasonDeclined), "later"
	return n
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func encode(t *testing.T, v any) string {
	t.Helper()
	body, err := events.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// replaced returns text with the single occurrence of old replaced.
func replaced(t *testing.T, text, old, other string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%s is there %d times in %s, want once", old, strings.Count(text, old), text)
	}
	return strings.Replace(text, old, other, 1)
}

func TestExampleAnswer(t *testing.T) {
	seen := exampleCall().For("bob")
	want := events.Answer{CommandID: "k2", OK: true, Call: &seen}
	got := encode(t, want)
	if want := compact(t, exampleAnswer); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if back, err := events.ReadAnswer([]byte(exampleAnswer)); err != nil || !reflect.DeepEqual(back, want) {
		t.Errorf("is read as %+v, %v", back, err)
	}
}

func TestExampleTransition(t *testing.T) {
	step, stamp := exampleStep(), events.TimeOf(at("10:00:07.25"))
	body, err := step.Encode(stamp)
	if err != nil {
		t.Fatal(err)
	}
	got := replaced(t, string(body), `"call":`+encode(t, step.Call), `"call":{}`)
	if want := compact(t, exampleTransition); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	back, when, err := events.ReadTransition("demo", "c1", body)
	if err != nil || when != stamp || !reflect.DeepEqual(back, step) {
		t.Errorf("is read as %+v, %s, %v", back, when, err)
	}
}

// The contract puts the call at a different position. The other fields have the same order.
func TestExampleNotification(t *testing.T) {
	n := exampleNotice().Stamped(at("10:00:07.260"))
	full := encode(t, n)
	got := replaced(t, full, `"call":`+encode(t, exampleCall())+`,`, "")
	if want := replaced(t, compact(t, exampleNotification), `,"call":{}`, ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var back events.Notification
	if err := json.Unmarshal([]byte(full), &back); err != nil || !reflect.DeepEqual(back, n) {
		t.Errorf("is read as %+v, %v", back, err)
	}
}

func TestReadersIgnoreUnknownFields(t *testing.T) {
	strange := func(text string) string {
		text = strings.ReplaceAll(text, `{"`, `{"new_thing":{"event":[null,1]},"`)
		return strings.ReplaceAll(text, `{"new_thing":{"event":[null,1]},"4"`, `{"4"`) // its members are seqs
	}
	answer := encode(t, events.Answer{CommandID: "k2", OK: true, Call: &events.Call{Callees: exampleCall().Callees}})
	if got, err := events.ReadAnswer([]byte(strange(answer))); err != nil || encode(t, got) != answer {
		t.Errorf("answer: got %+v, %v", got, err)
	}
	step := exampleStep()
	body, err := step.Encode(events.TimeOf(at("10:00:07.25")))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := events.ReadTransition("demo", "c1", []byte(strange(string(body)))); err != nil || !reflect.DeepEqual(got, step) {
		t.Errorf("transition: got %+v, %v", got, err)
	}
	n := exampleNotice().Stamped(at("10:00:08"))
	var got events.Notification
	if err := json.Unmarshal([]byte(strange(encode(t, n))), &got); err != nil || !reflect.DeepEqual(got, n) {
		t.Errorf("notification: got %+v, %v", got, err)
	}
}

func TestReadTransitionRefuses(t *testing.T) {
	raw, err := exampleStep().Encode(events.TimeOf(at("10:00:07.25")))
	if err != nil {
		t.Fatal(err)
	}
	body := string(raw)
	for _, c := range []struct{ name, app, call, body string }{
		{"nothing", "demo", "c1", ""},
		{"garbage", "demo", "c1", "ringing"},
		{"null", "demo", "c1", "null"},
		{"an empty object", "demo", "c1", "{}"},
		{"an array", "demo", "c1", "[" + body + "]"},
		{"truncated", "demo", "c1", body[:len(body)-1]},
		{"two", "demo", "c1", body + body},
		{"no data", "demo", "c1", `{"id":"c1-4"}`},
		{"the call alone", "demo", "c1", encode(t, exampleCall())},
		{"of another call", "demo", "c2", body},
		{"of another app", "prod", "c1", body},
		{"with another call's id", "demo", "c1", replaced(t, body, `"id":"c1-4"`, `"id":"c2-4"`)},
		{"with another call's call", "demo", "c1", replaced(t, body, `"call_id":"c1"`, `"call_id":"c2"`)},
		{"with another app's call", "demo", "c1", replaced(t, body, `"app":"demo"`, `"app":"prod"`)},
		{"with the id of another seq", "demo", "c1", replaced(t, body, `"id":"c1-4"`, `"id":"c1-5"`)},
		{"with the call of another seq", "demo", "c1", replaced(t, body, `"state":"ringing","seq":4`, `"state":"ringing","seq":5`)},
		{"with the data of another seq", "demo", "c1", replaced(t, body, `"event":"declined","seq":4`, `"event":"declined","seq":5`)},
		{"of seq 0", "demo", "c1", strings.NewReplacer(`"seq":4`, `"seq":0`, `"c1-4"`, `"c1-0"`).Replace(body)},
		{"of seq -1", "demo", "c1", strings.NewReplacer(`"seq":4`, `"seq":-1`, `"c1-4"`, `"c1--1"`).Replace(body)},
		{"a seq in quotes", "demo", "c1", replaced(t, body, `"event":"declined","seq":4`, `"event":"declined","seq":"4"`)},
		{"a time that is none", "demo", "c1", replaced(t, body, `"time":"2026-11-24T10:00:07.250Z"`, `"time":"soon"`)},
	} {
		got, when, err := events.ReadTransition(c.app, c.call, []byte(c.body))
		if err == nil {
			t.Errorf("%s is read as %+v, %s, want an error", c.name, got, when)
		} else if !reflect.DeepEqual(got, events.Transition{}) || when != 0 || !strings.Contains(err.Error(), c.call) {
			t.Errorf("%s: got %+v, %s with the error %v, want nothing, and an error that names the call", c.name, got, when, err)
		}
	}
}

// Readers in other languages receive what the sender wrote, byte for byte.
func TestNothingIsEscapedForHTML(t *testing.T) {
	const text = "<b>&</b>\u2028\u2029\x7fé😀" // all of it is valid unescaped in JSON
	const tricky = `\u2028 \\u2029`           // backslashes written by the sender
	step := exampleStep()
	step.CustomData, step.Call.CustomData = text, tricky
	notice := exampleNotice()
	notice.CustomData, notice.Call.CustomData = text, tricky
	command := events.Command{CommandAddress: address(events.VerbAdd), CommandID: "k1", UserID: "ann", CustomData: text, Callees: []events.Party{{UserID: tricky}}}

	transition, err := step.Encode(1)
	if err != nil {
		t.Fatal(err)
	}
	added, err := command.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"transition":   string(transition),
		"command":      string(added),
		"notification": encode(t, notice.Stamped(at("10:00:08"))),
		"answer":       encode(t, events.Answer{CommandID: text, Call: &step.Call}),
	} {
		if !strings.Contains(body, quote(text)) || !strings.Contains(body, quote(strings.ReplaceAll(tricky, `\`, `\\`))) {
			t.Errorf("%s: %q, want %q in it as it is", name, body, text)
		}
		if !json.Valid([]byte(body)) || strings.Contains(body, "\n") {
			t.Errorf("%s: %q is no line of JSON", name, body)
		}
	}
	back, _, err := events.ReadTransition("demo", "c1", transition)
	if err != nil || back.CustomData != text || back.Call.CustomData != tricky {
		t.Errorf("is read as %q, %q, %v", back.CustomData, back.Call.CustomData, err)
	}
}

// Unset fields are omitted, never null or an empty string. Arrays are always present.
func TestUnsetFieldsAreOmitted(t *testing.T) {
	failed := events.Call{
		CallID: "c1", App: "demo", RoomID: "c1", State: events.CallStateEnded, Seq: 1, CreatedAt: 1, ExpiresAt: 2, EndedAt: 3, EndReason: events.EndFailed,
	}
	step := events.Transition{CommandID: "k1", Event: events.EventFenced, Seq: 1, By: events.By{Kind: events.ByTimer}, Call: failed}
	body, err := step.Encode(1)
	if err != nil {
		t.Fatal(err)
	}
	seen := failed.For("ann")
	notice := events.NewNotice("ann", step, 0, events.CallEnded).Stamped(at("10:00:00"))
	for name, text := range map[string]string{
		"transition":   string(body),
		"answer":       encode(t, events.Answer{OK: true, Call: &seen}),
		"notification": encode(t, notice),
	} {
		for _, bad := range []string{"null", `""`, `"caller"`, `"ended_by"`, `"answered_at"`, `"merged_into"`, `"custom_data"`, `"ring_remaining_ms"`, `"error"`} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %s: %s", name, bad, text)
			}
		}
		if !strings.Contains(text, `"callees":[]`) || !strings.Contains(text, `"call_type":0`) {
			t.Errorf("%s has no callees or no call_type: %s", name, text)
		}
	}
	if text := string(body); !strings.Contains(text, `"changes":[]`) || !strings.Contains(text, `"commands":[]`) {
		t.Errorf("transition has no changes or no commands: %s", text)
	}
	if refused := encode(t, events.Refusal("k1", events.Errorf(events.CodeInternal, "x"))); strings.Contains(refused, "call") {
		t.Errorf("refusal has a call: %s", refused)
	}
}
